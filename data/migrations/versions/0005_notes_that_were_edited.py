"""notes that were edited"""

from alembic import op
import sqlalchemy as sa

import data.types


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('notes', sa.Column('edited_at', data.types.UtcDateTime(timezone=True), nullable=True))
    op.add_column('alerts', sa.Column('note_id', sa.BigInteger(), nullable=True))
    op.create_index('ix_alerts_note_id', 'alerts', ['note_id'], sqlite_where=sa.text('note_id IS NOT NULL'), postgresql_where=sa.text('note_id IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_alerts_note_id', 'alerts')
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.drop_column('note_id')
    with op.batch_alter_table('notes', schema=None) as batch_op:
        batch_op.drop_column('edited_at')
