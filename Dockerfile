FROM python:3.11-slim
WORKDIR /srv/siao
RUN useradd --system --home /srv/siao siao && mkdir -p var/fichiers && chown siao var/fichiers
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# collectstatic needs settings, not services: these values never leave the build.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgresql://build REDIS_URL=redis://build \
    SITE_URL=https://build EMAIL_URL=dummymail:// \
    python manage.py collectstatic --noinput
USER siao
EXPOSE 8000
