from django import forms

from siao.socle.forms import Formulaire


class DepotForm(Formulaire):
    """Which territory, which file. A territory outside the user's choices does not exist here."""

    territoire = forms.ChoiceField(
        label="Territoire décrit par le classeur",
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez un territoire de la liste."},
    )
    fichier = forms.FileField(
        label="Classeur à déposer",
        help_text="Classeur Excel (.xlsx) du modèle, ou variante réduite aux entités (.ods). 10 Mo au plus.",
        widget=forms.FileInput(attrs={"class": "fr-upload", "accept": ".xlsx,.ods"}),
        allow_empty_file=True,  # an empty file is read like the others: it is refused with its own sentence
        error_messages={"required": "Choisissez le fichier à déposer."},
    )

    def __init__(self, *args, territoires, **kwargs):
        super().__init__(*args, **kwargs)
        self.territoires = {f"{t._meta.model_name}-{t.pk}": t for t in territoires}
        self.fields["territoire"].choices = [(key, str(territoire)) for key, territoire in self.territoires.items()]

    def clean_territoire(self):
        return self.territoires[self.cleaned_data["territoire"]]
