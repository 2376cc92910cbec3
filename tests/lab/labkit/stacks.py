"""The Celery stacks of the lab: Debian's, and others in virtual environments below the cache directory."""

import glob
import json
import os
import shutil
import subprocess

SHOP = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "shop")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "celeriac-lab")
SYSTEM_PYTHON = "/usr/bin/python3"

# What pip installs into each environment; the newest of everything unless a version is the point.
ENVIRONMENTS = {
    "new": ["celery[redis]", "msgpack", "pyyaml", "cryptography", "brotli", "backports.zstd", "django", "django-redis",
            "flask-caching", "cachelib", "rq", "huey", "dramatiq[redis,rabbitmq]",
            "flower", "celery-redbeat", "pika"],
    "debian-more": ["flower", "celery-redbeat"],  # beside Debian's own Celery
    "arq": ["arq"],
    "old": ["celery==4.4.7", "kombu<5", "redis<4", "setuptools<58", "importlib-metadata<5", "msgpack", "pyyaml"],
}
# Celery 4.4 does not start on Python 3.11 or later; it is left out where no older one is found.
OLD_PYTHONS = [f"python3.{minor}" for minor in (8, 9, 10, 7)]
OPTIONAL = ("old", "arq")
VERSIONS_OF = ("celery", "kombu", "amqp", "redis", "billiard", "vine", "msgpack", "PyYAML", "cryptography", "rq", "huey",
               "dramatiq", "Django", "django-redis", "Flask-Caching", "cachelib", "arq", "flower", "celery-redbeat", "pika")
SAY_VERSIONS = ("import json,sys,platform\nfrom importlib.metadata import version,PackageNotFoundError\nv={}\n"
                "for n in sys.argv[1:]:\n    try: v[n]=version(n)\n    except PackageNotFoundError: pass\n"
                "v['Python']=platform.python_version()\nprint(json.dumps(v))\n")


class Stack:
    """A Python with a Celery in it."""

    def __init__(self, name):
        self.name = name
        self.python = SYSTEM_PYTHON if name == "debian" else os.path.join(CACHE, name, "bin", "python")

    def usable(self):
        if not os.path.exists(self.python):
            return False
        module = "arq" if self.name == "arq" else "celery"
        return subprocess.run([self.python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0

    def versions(self, only=VERSIONS_OF):
        source = SAY_VERSIONS
        if self.name == "old":
            source = source.replace("importlib.metadata", "importlib_metadata")
        out = subprocess.run([self.python, "-c", source, *only], capture_output=True, text=True, check=True)
        return json.loads(out.stdout)

    def describe(self, only=("celery", "kombu", "amqp", "redis")):
        names = {"celery": "Celery", "amqp": "py-amqp", "redis": "redis-py"}
        found = self.versions(only)
        where = {"debian": "Debian's packages", "debian-more": "Debian's packages, the rest from PyPI"}.get(self.name, "PyPI")
        return ", ".join(f"{names.get(n, n)} {v}" for n, v in found.items()) + f" ({where})"


def install(names=None, say=print):
    """Makes the environments that are missing. An optional one that cannot be made is left out."""
    os.makedirs(CACHE, exist_ok=True)
    for name in names or ENVIRONMENTS:
        mark = os.path.join(CACHE, name, ".ready")
        if _made_of(mark) == ENVIRONMENTS[name] and Stack(name).usable():
            continue
        if name == "old" and not _old_python():
            continue
        say(f"lab: installing {', '.join(ENVIRONMENTS[name])}")
        if _make(name, say) and Stack(name).usable():
            with open(mark, "w", encoding="ascii") as f:
                f.write("\n".join(ENVIRONMENTS[name]))
        elif name in OPTIONAL:
            say(f"lab: {name} left out")
            shutil.rmtree(os.path.join(CACHE, name), ignore_errors=True)
        else:
            raise SystemExit(f"lab: cannot install {name}")


def _made_of(mark):
    try:
        with open(mark, encoding="ascii") as f:
            return f.read().split("\n")
    except OSError:
        return None


def _old_python():
    for name in OLD_PYTHONS:
        below = os.path.expanduser(f"~/.pyenv/versions/{name[6:]}.*/bin/{name}")
        for found in filter(None, [shutil.which(name), *sorted(glob.glob(below))]):
            if subprocess.run([found, "-c", "import ssl, venv"], capture_output=True, check=False).returncode == 0:
                return found
    return None


def _make(name, say):
    path, python = os.path.join(CACHE, name), _old_python() if name == "old" else SYSTEM_PYTHON
    beside = ["--system-site-packages"] if name == "debian-more" else []
    if subprocess.run([python, "-m", "venv", "--clear", *beside, path], check=False).returncode != 0:
        return False
    done = subprocess.run([path + "/bin/pip", "-q", "--disable-pip-version-check", "install", *ENVIRONMENTS[name]],
                          check=False, capture_output=True, text=True)
    if done.returncode != 0:
        say(done.stderr[-400:])
    return done.returncode == 0
