"""Commands on the service: its dispatcher, settings, limits, opt-outs and clock."""

import signal
import threading
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

import bot
from bot import service as services
from bot.domain import phone
from bot.faces.cli.errors import told
from bot.observability.logs import configure as configure_logs
from bot.server import gc_settings
from bot.store import opt_outs
from bot.usecases import clear, timekeeping

RESET_SECONDS = 600.0

limits_group = AppGroup("limits", help="What counts against a number.")
optout_group = AppGroup("optout", help="Numbers that have texted STOP.")
clock_group = AppGroup("clock", help="Stored time, where a clock was ahead once.")


@click.command()
@with_appcontext
def dispatch() -> None:
    """Send and expire in a process of its own, until SIGTERM or Ctrl-C."""
    service = services.of(current_app)
    configure_logs(service.settings.log_format)
    gc_settings.settle()
    service.shared_counters.start()
    dispatcher = service.dispatcher
    is_over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: is_over.set())
    dispatcher.start()
    click.echo("The dispatcher runs.")
    while not is_over.wait(60):
        pass
    is_done = dispatcher.stop()
    service.shared_counters.stop()
    if not is_done:
        raise click.ClickException("Some texts were still being sent; they will be looked up.")


@click.command()
def version() -> None:
    """Tell the version of Textback."""
    click.echo(f"Textback {bot.__version__}")


@click.command()
@with_appcontext
def check() -> None:
    """Check the settings. They were read already, so what is wrong with them was said by then."""
    settings = services.of(current_app).settings
    number = settings.twilio_phone_number
    click.echo(f"public address  {settings.public_base_url}")
    click.echo(f"texts from      {phone.masked(number) if number else settings.from_address}")
    click.echo(f"Twilio          {settings.twilio_api_base_url or 'the cloud'}")
    click.echo(f"database        {settings.database_name}")
    terms = settings.terms
    click.echo(
        f"rules           {terms.code_length} digits, {terms.window_seconds} seconds,"
        f" {terms.max_attempts} attempts"
    )
    hosts = [urlsplit(url).hostname or "" for url in settings.webhook_urls]
    click.echo(f"webhooks to     {', '.join(hosts) or 'none'}")
    click.echo(
        f"languages       {settings.default_locale}, offered {len(settings.offered_locales)}"
    )
    click.echo(f"Verify service  {settings.service_sid}")
    click.echo(f"countries       {', '.join(sorted(settings.countries)) or 'all'}")
    click.echo(f"guess budget    {settings.guess_budget}")
    click.echo("The settings can be used.")


@clock_group.command("reset")
@with_appcontext
def clock_reset() -> None:
    """Take stamps that are later than the clock back to it. Stop all processes first."""
    store = services.of(current_app).store
    store.read(timekeeping.now)
    ahead = store.steady.ahead
    now = store.steady.latest - ahead
    try:
        count = store.write_within(RESET_SECONDS, timekeeping.reset, clock=now)
    except timekeeping.StillPending:
        raise click.ClickException(
            "Verifications are pending, and their deadlines are in stored time. Let them end: they"
            " do within minutes while a dispatcher runs. Then stop everything and try again."
        ) from None
    click.echo(
        f"Stored time was {ahead.total_seconds():.0f} s ahead; {count} stamps were taken back."
    )


@limits_group.command("clear")
@click.argument("phone_number")
@with_appcontext
def limits_clear(phone_number: str) -> None:
    """Forget the starts and wrong answers that count against a number."""
    service = services.of(current_app)
    with told():
        phones = phone.known_as(phone_number)
    count = service.store.write(clear.clear_limits, phones, service.rules)
    click.echo(f"Nothing of {count} counts against this number any more.")


@optout_group.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@with_appcontext
def optout_list(limit: int) -> None:
    """List the numbers that have texted STOP, the newest first."""
    service = services.of(current_app)
    address = service.rules.from_address
    for marked, since in service.store.read(opt_outs.newest, from_address=address, limit=limit):
        click.echo(f"{since.strftime('%Y-%m-%d %H:%M:%S')}  {marked}")


@optout_group.command("clear")
@click.argument("phone_number")
@with_appcontext
def optout_clear(phone_number: str) -> None:
    """Let a number be texted again. Twilio itself still refuses until it texts START."""
    service = services.of(current_app)
    with told():
        phones = phone.known_as(phone_number)
    was_marked = service.store.write(clear.clear_opt_out, phones, service.rules)
    click.echo("Cleared." if was_marked else "This number was not marked.")
