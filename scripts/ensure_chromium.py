"""Make sure that the browser tests have a Chromium that starts; install one if there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Playwright's driver needs libatomic1, and pages need a font; a small system has neither.
DEBIAN_PACKAGES = ("chromium", "fonts-liberation", "libatomic1")
# A test browser has nothing to ask the network.
OPTIONS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def system_chromium() -> str | None:
    """Return the browser named by the environment variable CHROMIUM, else the first one on the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch_chromium(playwright: Playwright) -> Browser:
    """Start the system's Chromium, else the one that Playwright installed."""
    return playwright.chromium.launch(executable_path=system_chromium(), args=list(OPTIONS))


def main() -> None:
    if why_not() is None:
        return
    if os.environ.get("CHROMIUM"):
        sys.exit(f"CHROMIUM={os.environ['CHROMIUM']} does not start:\n{why_not()}")

    print("No Chromium here that starts: installing one", flush=True)
    playwright = [sys.executable, "-m", "playwright"]
    if succeeds(*playwright, "install", "chromium"):
        if why_not() is not None and can_install_packages():
            succeeds(*playwright, "install-deps", "chromium")
    elif can_install_packages():
        succeeds(*as_root("apt-get", "update", "-qq"))
        succeeds(*as_root("apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES))

    if reason := why_not():
        sys.exit(f"{reason}\nThe browser tests need Chromium: install it, or name one: make test CHROMIUM=/path/to/it")


def why_not() -> str | None:
    """Return why no Chromium starts, or None if one does."""
    try:
        with sync_playwright() as playwright:
            launch_chromium(playwright).close()
    except Exception as error:  # a bare one where Playwright's own driver lacks a library
        return str(error)
    return None


def can_install_packages() -> bool:
    return shutil.which("apt-get") is not None and succeeds(*as_root("true"))


def as_root(*command: str) -> list[str]:
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
