# The service alone: no tests, no docs, no root.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/mostrador
RUN useradd --system --uid 10001 mostrador && install -d -o mostrador var
# The packages first: they change less often than the code.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-deps . && rm -rf build *.egg-info
USER mostrador
VOLUME /srv/mostrador/var
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8080') + '/readyz', timeout=4)"]
CMD ["sh", "-c", "mostrador migrate && exec mostrador serve"]
