"""The texts of a survey page's buttons and messages, by language.

A survey in any other language has English ones. The survey's own texts come from the tenant.
"""

from collections.abc import Mapping

Translation = Mapping[str, str]

_NAMES = (
    "comment",
    "send",
    "close",
    "open",
    "sending",
    "sent",
    "waiting",
    "refused",
    "retry",
    "already",
    "change",
    "again",
)


def _translation(text: str) -> Translation:
    """Read a translation of one text on each line, in the order of _NAMES."""
    return dict(zip(_NAMES, text.strip().splitlines(), strict=True))


_TRANSLATIONS: Mapping[str, Translation] = {
    "en": _translation("""
Would you like to tell us why?
Send
Close
Feedback
Sending …
Your answer has been sent.
Your answer is kept here and will be sent as soon as there is a connection.
Your answer could not be taken.
Try again
You have already answered.
Change my answer
Answer once more
"""),
    "de": _translation("""
Möchten Sie uns sagen, warum?
Senden
Schließen
Feedback
Wird gesendet …
Ihre Antwort ist angekommen.
Ihre Antwort bleibt hier gespeichert und wird gesendet, sobald eine Verbindung besteht.
Ihre Antwort konnte nicht angenommen werden.
Erneut versuchen
Sie haben bereits geantwortet.
Antwort ändern
Noch einmal antworten
"""),
    "fr": _translation("""
Souhaitez-vous nous dire pourquoi ?
Envoyer
Fermer
Votre avis
Envoi en cours …
Votre réponse a été envoyée.
Votre réponse est conservée ici et sera envoyée dès que la connexion sera rétablie.
Votre réponse n’a pas pu être prise en compte.
Réessayer
Vous avez déjà répondu.
Modifier ma réponse
Répondre à nouveau
"""),
    "es": _translation("""
¿Quiere contarnos por qué?
Enviar
Cerrar
Su opinión
Enviando …
Su respuesta se ha enviado.
Su respuesta queda guardada aquí y se enviará en cuanto haya conexión.
No se ha podido aceptar su respuesta.
Reintentar
Ya ha respondido.
Cambiar mi respuesta
Responder otra vez
"""),
    "it": _translation("""
Vuole dirci perché?
Invia
Chiudi
La sua opinione
Invio in corso …
La sua risposta è stata inviata.
La sua risposta resta salvata qui e sarà inviata appena c’è una connessione.
Non è stato possibile accettare la sua risposta.
Riprova
Ha già risposto.
Cambia la mia risposta
Rispondi di nuovo
"""),
    "nl": _translation("""
Wilt u ons vertellen waarom?
Versturen
Sluiten
Feedback
Wordt verstuurd …
Uw antwoord is verstuurd.
Uw antwoord blijft hier bewaard en wordt verstuurd zodra er verbinding is.
Uw antwoord kon niet worden aangenomen.
Opnieuw proberen
U hebt al geantwoord.
Mijn antwoord wijzigen
Nog een keer antwoorden
"""),
    "pt": _translation("""
Gostaria de nos dizer porquê?
Enviar
Fechar
A sua opinião
A enviar …
A sua resposta foi enviada.
A sua resposta fica guardada aqui e será enviada assim que houver ligação.
Não foi possível aceitar a sua resposta.
Tentar de novo
Já respondeu.
Alterar a minha resposta
Responder outra vez
"""),
    "pl": _translation("""
Czy chcesz nam powiedzieć, dlaczego?
Wyślij
Zamknij
Twoja opinia
Wysyłanie …
Odpowiedź została wysłana.
Odpowiedź jest tu zapisana i zostanie wysłana, gdy tylko będzie połączenie.
Nie udało się przyjąć odpowiedzi.
Spróbuj ponownie
Odpowiedź została już udzielona.
Zmień odpowiedź
Odpowiedz jeszcze raz
"""),
    "sv": _translation("""
Vill du berätta varför?
Skicka
Stäng
Feedback
Skickar …
Ditt svar har skickats.
Ditt svar sparas här och skickas så snart det finns en anslutning.
Ditt svar kunde inte tas emot.
Försök igen
Du har redan svarat.
Ändra mitt svar
Svara en gång till
"""),
    "tr": _translation("""
Nedenini bize anlatmak ister misiniz?
Gönder
Kapat
Görüşünüz
Gönderiliyor …
Yanıtınız gönderildi.
Yanıtınız burada saklanıyor ve bağlantı kurulur kurulmaz gönderilecek.
Yanıtınız kabul edilemedi.
Yeniden dene
Zaten yanıt verdiniz.
Yanıtımı değiştir
Bir kez daha yanıtla
"""),
    "ar": _translation("""
هل تود أن تخبرنا بالسبب؟
إرسال
إغلاق
رأيك
جارٍ الإرسال …
تم إرسال إجابتك.
إجابتك محفوظة هنا وسترسل فور توفر الاتصال.
تعذر قبول إجابتك.
إعادة المحاولة
لقد أجبت من قبل.
تغيير إجابتي
الإجابة مرة أخرى
"""),
    "he": _translation("""
רוצים לספר לנו למה?
שליחה
סגירה
משוב
נשלח …
התשובה נשלחה.
התשובה שמורה כאן ותישלח ברגע שיהיה חיבור.
לא ניתן היה לקבל את התשובה.
ניסיון נוסף
כבר עניתם.
שינוי התשובה
מענה נוסף
"""),
}

_ENDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "csat": {
        "en": ("Very dissatisfied", "Very satisfied"),
        "de": ("Sehr unzufrieden", "Sehr zufrieden"),
        "fr": ("Très insatisfait", "Très satisfait"),
        "es": ("Muy insatisfecho", "Muy satisfecho"),
        "it": ("Molto insoddisfatto", "Molto soddisfatto"),
        "nl": ("Zeer ontevreden", "Zeer tevreden"),
        "pt": ("Muito insatisfeito", "Muito satisfeito"),
        "pl": ("Bardzo źle", "Bardzo dobrze"),
        "sv": ("Mycket missnöjd", "Mycket nöjd"),
        "tr": ("Hiç memnun değilim", "Çok memnunum"),
        "ar": ("غير راضٍ إطلاقًا", "راضٍ جدًا"),
        "he": ("לא מרוצים כלל", "מרוצים מאוד"),
    },
    "nps": {
        "en": ("Not at all likely", "Extremely likely"),
        "de": ("Sehr unwahrscheinlich", "Sehr wahrscheinlich"),
        "fr": ("Pas du tout probable", "Très probable"),
        "es": ("Nada probable", "Muy probable"),
        "it": ("Per niente probabile", "Molto probabile"),
        "nl": ("Zeer onwaarschijnlijk", "Zeer waarschijnlijk"),
        "pt": ("Nada provável", "Muito provável"),
        "pl": ("Zdecydowanie nie", "Zdecydowanie tak"),
        "sv": ("Inte alls troligt", "Mycket troligt"),
        "tr": ("Hiç olası değil", "Çok olası"),
        "ar": ("غير محتمل إطلاقًا", "محتمل جدًا"),
        "he": ("בכלל לא סביר", "סביר מאוד"),
    },
    "ces": {
        "en": ("Very difficult", "Very easy"),
        "de": ("Sehr schwierig", "Sehr einfach"),
        "fr": ("Très difficile", "Très facile"),
        "es": ("Muy difícil", "Muy fácil"),
        "it": ("Molto difficile", "Molto facile"),
        "nl": ("Zeer moeilijk", "Zeer makkelijk"),
        "pt": ("Muito difícil", "Muito fácil"),
        "pl": ("Bardzo trudno", "Bardzo łatwo"),
        "sv": ("Mycket svårt", "Mycket lätt"),
        "tr": ("Çok zor", "Çok kolay"),
        "ar": ("صعب جدًا", "سهل جدًا"),
        "he": ("קשה מאוד", "קל מאוד"),
    },
}

LANGUAGES = tuple(_TRANSLATIONS)


def translation(language: str) -> Translation:
    """The texts of buttons and messages in a language; in English if LANGUAGES lacks it."""
    return _TRANSLATIONS.get(language.split("-")[0], _TRANSLATIONS["en"])


def ends(metric: str, language: str, *, lower_is_better: bool) -> tuple[str, str]:
    """Names of the lowest and the highest score of a metric, for a survey without labels."""
    by_language = _ENDS[metric]
    worst, best = by_language.get(language.split("-")[0], by_language["en"])
    return (best, worst) if lower_is_better else (worst, best)
