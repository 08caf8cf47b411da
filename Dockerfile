# Two images from one file: `web` without torch and mediapipe, `worker` with everything.

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    WEIGHTS_DIR=/weights \
    MEDIA_ROOT=/pictures/media \
    PRIVATE_ROOT=/pictures/private \
    INDEX_ROOT=/pictures/index \
    FITROOM_LOCAL=/tmp/fitroom
# A new named volume takes its owner from the folder it is mounted on.
RUN useradd --uid 10001 --create-home fitroom \
    && install --directory --owner fitroom --group fitroom /weights /pictures
WORKDIR /srv/fitroom

FROM base AS web
COPY constraints.txt requirements-web.txt ./
RUN pip install -r requirements-web.txt
COPY . .
ENV STATIC_ROOT=/srv/static STATIC_COLLECTED=true
RUN SECRET_KEY=only-while-building python manage.py collectstatic --no-input
USER fitroom
EXPOSE 8000
CMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]

FROM base AS worker
# What OpenCV and MediaPipe load.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libegl1 libgles2 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt requirements-web.txt requirements.txt ./
RUN pip install -r requirements.txt
COPY . .
USER fitroom
CMD ["celery", "-A", "shop", "worker", "-Q", "cpu"]
