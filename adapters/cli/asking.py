"""`setup`: have everything made in both CRMs that the sync needs."""

import typer

from adapters.bootstrap import accounts, requests
from adapters.bootstrap.present import Present
from adapters.cli.alone import answering
from adapters.cli.output import JsonFlag, Output
from adapters.cli.session import open_session
from adapters.cli.starting import Asking
from adapters.home import ROLES

app = typer.Typer()


@app.command()
def setup(*, json: JsonFlag = False) -> None:
    """Make the pipelines, stages, properties and fields that the sync needs."""
    output = Output(as_json=json)
    with (
        open_session() as session,
        answering(
            session, "dealsync setup", ROLES, lambda: accounts.of_settings(session.settings)
        ) as go_on,
    ):
        Asking(session.stores, session.clock.now, go_on).set_up()
        moment = Present(session.stores).moment()
    pipelines = dict(moment.catalog.pipelines)
    unready = requests.not_ready(moment)
    issues = [
        {"code": code, "subject": subject, "text": text}
        for (code, subject), text in moment.catalog.issues.items()
    ]
    output.show(
        "setup",
        {"pipelines": pipelines, "not_ready": list(unready), "issues": issues},
        lambda console: console.print(
            f"set up: {len(pipelines)} pipelines, {len(unready)} not ready, {len(issues)} issues",
            markup=False,
        ),
    )
    for issue in issues:
        output.hint(f"{issue['code']}: {issue['text']}")
