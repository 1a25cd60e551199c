from django import forms
from django.contrib.auth.forms import AuthenticationForm

from siao.socle.forms import Formulaire


class ConnexionForm(AuthenticationForm, Formulaire):
    username = forms.EmailField(
        label="Adresse courriel",
        help_text="Exemple : prenom.nom@structure.fr",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"invalid": "Écrivez une adresse complète, par exemple prenom.nom@structure.fr."},
    )
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    # The same words for an unknown address, a wrong password and a disabled account: nothing can be guessed.
    error_messages = {
        "invalid_login": "Adresse ou mot de passe inconnus. Vérifiez les deux, puis essayez de nouveau ; "
        "si vous avez oublié votre mot de passe, demandez-en un nouveau à votre administrateur.",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.is_bound:
            # After a mistake the focus goes to the summary of errors, not to the first field.
            del self.fields["username"].widget.attrs["autofocus"]

    def clean_username(self):
        return self.cleaned_data["username"].strip().lower()
