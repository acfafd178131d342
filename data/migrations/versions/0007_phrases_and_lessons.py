"""phrases and lessons"""

from alembic import op
import sqlalchemy as sa

import data.types


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lessons',
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('done', sa.BigInteger(), nullable=False),
    sa.Column('lines', data.types.Json(), nullable=False),
    sa.Column('effect', data.types.Json(), nullable=True),
    sa.Column('problems', data.types.Json(), nullable=False),
    sa.Column('like_version', sa.BigInteger(), nullable=True),
    sa.Column('author_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', data.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('published_at', data.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('company_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_lessons_author_id')),
    sa.ForeignKeyConstraint(['company_id'], ['companies.id'], name=op.f('fk_lessons_company_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lessons')),
    sa.UniqueConstraint('company_id', 'version', name=op.f('uq_lessons_company_id_version'))
    )
    op.create_table('phrases',
    sa.Column('plain', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('asked', sa.String(), nullable=False),
    sa.Column('guesses', data.types.Json(), nullable=False),
    sa.Column('times', sa.BigInteger(), nullable=False),
    sa.Column('number_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('conversation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('first_at', data.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('last_at', data.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=True),
    sa.Column('decided_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', data.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('company_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['company_id'], ['companies.id'], name=op.f('fk_phrases_company_id')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_phrases_conversation_id')),
    sa.ForeignKeyConstraint(['decided_by'], ['users.id'], name=op.f('fk_phrases_decided_by')),
    sa.ForeignKeyConstraint(['number_id'], ['numbers.id'], name=op.f('fk_phrases_number_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phrases')),
    sa.UniqueConstraint('company_id', 'plain', name=op.f('uq_phrases_company_id_plain'))
    )
    op.create_index('ix_phrases_conversation_id', 'phrases', ['conversation_id'], unique=False)
    op.create_index('ix_phrases_new', 'phrases', ['company_id'], unique=False, sqlite_where=sa.text("state = 'new'"), postgresql_where=sa.text("state = 'new'"))


def downgrade() -> None:
    op.drop_index('ix_phrases_new', 'phrases')
    op.drop_index('ix_phrases_conversation_id', 'phrases')
    op.drop_table('phrases')
    op.drop_table('lessons')
