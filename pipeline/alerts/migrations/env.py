"""What Alembic runs: the migrations, inside the transaction that `pipeline.alerts.store.migrate` holds."""

from alembic import context

from pipeline.alerts.incident_models import Incident

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Incident.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
