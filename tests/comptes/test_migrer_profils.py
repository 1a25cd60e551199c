"""``migrer_profils``: the 14 old profils become habilitations; what a file cannot say is left to a person."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Siao, Utilisateur
from siao.socle.fixtures import rows
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
TITLES = "courriel;nom;prenom;ancien_profil;departement;structure"


@pytest.fixture
def offre():
    association = make_rattachement("44", nom="Association du Port")
    return association, make_dispositif(association, nom="CHRS le Phare")


def run(tmp_path, *lines, options=(), titles=TITLES) -> str:
    file = tmp_path / "comptes.csv"
    file.write_text("\n".join([titles, *lines]), encoding="utf-8-sig")
    out = io.StringIO()
    call_command("migrer_profils", str(file), *options, stdout=out)
    return out.getvalue()


def test_every_old_profil_has_a_successor(tmp_path, offre):
    lines = []
    for number, row in enumerate(rows("profils_anciens")):
        structure = {
            "Gestionnaire local": "association DU port",
            "Gestionnaire structure lecture seule": "Association du Port",
        }
        lines.append(
            f"agent{number}@test.example;Nom;Prénom;{row['ancien_profil']};44;"
            + structure.get(row["ancien_profil"], "CHRS le phare")
        )
    report = run(tmp_path, *lines, options=["--appliquer"])
    assert (
        "14 lignes : 14 comptes et 14 habilitations créés, 0 habilitation déjà là, 0 à décider par une personne."
        in report
    )
    for number, row in enumerate(rows("profils_anciens")):
        agent = Utilisateur.objects.get(courriel=f"agent{number}@test.example")
        assert habilitation_of(agent).profil == row["nouveau_profil_propose"]
        assert not agent.has_usable_password()
    gestionnaire = Utilisateur.objects.get(habilitations__profil=Profil.GESTIONNAIRE_ENTITE)
    assert habilitation_of(gestionnaire).perimetre.rattachements == {offre[0].pk}


def test_a_line_promotes_nobody_who_already_works_here(tmp_path):
    used = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)
    Utilisateur.objects.filter(pk=used.pk).update(last_login=timezone.now())
    report = run(tmp_path, f"{used.courriel.upper()};Nom;Prénom;Ecoutant;44;", options=["--appliquer"])
    assert "compte déjà utilisé : son administrateur donne l'habilitation" in report
    assert used.habilitations.get().profil == Profil.ADMIN_DEPARTEMENTAL


def test_rehearses_by_default(tmp_path):
    report = run(tmp_path, "A@test.example;Nom;Prénom;Ecoutant;44;")
    assert "1 ligne : 1 compte et 1 habilitation à créer" in report
    assert "rien n'est écrit" in report
    assert not Utilisateur.objects.exists()


def test_again_changes_nothing(tmp_path, offre):
    lines = ["a@test.example;Nom;Prénom;Ecoutant;44;", "b@test.example;Nom;Prénom;Premier accueil;44;CHRS le Phare"]
    run(tmp_path, *lines, options=["--appliquer"])
    report = run(tmp_path, *lines, options=["--appliquer"])
    assert "0 compte et 0 habilitation créé, 2 habilitations déjà là" in report


def test_several_old_profils_of_one_person_are_several_habilitations(tmp_path):
    run(tmp_path, "a@test.example;N;P;Ecoutant;44;", "A@TEST.example;N;P;Opérateur SIAO;35;", options=["--appliquer"])
    agent = Utilisateur.objects.get()
    assert {(h.profil, h.siao_id) for h in agent.habilitations.all()} == {
        ("ECOUTANT_115", "44"),
        ("OPERATEUR_SIAO", "35"),
    }


@pytest.mark.parametrize(
    ("line", "choice"),
    [
        ("pas une adresse;N;P;Ecoutant;44;", "adresse « pas une adresse » incomplète"),
        (f"a@test.example;{'N' * 120};P;Ecoutant;44;", "nom : Assurez-vous que cette valeur comporte au plus 100"),
        ("partie@test.example;N;P;Ecoutant;44;", "compte désactivé : le réactiver d'abord"),
        ("a@test.example;N;P;Grand chef;44;", "ancien profil « Grand chef » inconnu"),
        ("a@test.example;N;P;Ecoutant;999;", "département « 999 » inconnu"),
        ("a@test.example;N;P;Ecoutant;;", "département «  » inconnu"),
        ("a@test.example;N;P;Ecoutant;75;", "2 SIAO dans le département 75"),
        ("a@test.example;N;P;Maraude;44;", "0 dispositifs nommés «  » dans le 44"),
        ("a@test.example;N;P;Maraude;44;Inconnue", "0 dispositifs nommés « Inconnue » dans le 44"),
        ("a@test.example;N;P;Maraude;35;CHRS le Phare", "0 dispositifs nommés « CHRS le Phare » dans le 35"),
        ("a@test.example;N;P;Gestionnaire local;44;Inconnue", "0 entités nommées « Inconnue » dans le 44"),
    ],
)
def test_what_a_person_must_choose_is_reported_and_not_guessed(tmp_path, offre, line, choice):
    Siao.objects.create(code="75-B", nom="Second", departement_id="75", groupe=Group.objects.create(name="SIAO 75-B"))
    gone = Utilisateur.objects.create_user("partie@test.example", is_active=False)
    report = run(tmp_path, line, "bon@test.example;N;P;Ecoutant;44;", options=["--appliquer"])
    assert f"ligne 2, {line.split(';')[0]} : {choice}" in report
    assert "2 lignes : 1 compte et 1 habilitation créés, 0 habilitation déjà là, 1 à décider" in report
    assert Utilisateur.objects.exclude(pk=gone.pk).get().courriel == "bon@test.example"
    assert not gone.habilitations.exists()


@pytest.mark.parametrize("titles", ["courriel,nom", "rien"])
def test_a_file_without_its_columns_is_refused(tmp_path, titles):
    with pytest.raises(CommandError, match="Il manque les colonnes"):
        run(tmp_path, "a", titles=titles)


def test_a_file_with_its_titles_alone_is_refused_for_what_it_is(tmp_path):
    with pytest.raises(CommandError, match="n'a que ses titres"):
        run(tmp_path)


def test_a_file_that_does_not_read_is_refused(tmp_path):
    with pytest.raises(CommandError, match="CSV, codage UTF-8"):
        call_command("migrer_profils", str(tmp_path / "absent.csv"))
