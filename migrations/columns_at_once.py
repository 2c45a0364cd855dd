"""Generated columns that are added to a table with rows."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation


class AddColumns(Operation):
    """Generated columns of one table in one statement: each statement writes the whole table again."""

    def __init__(self, model_name: str, fields: dict[str, Any]) -> None:
        self.model_name, self.fields = model_name, fields

    def state_forwards(self, app_label: str, state: Any) -> None:
        for name, field in self.fields.items():
            state.add_field(app_label, self.model_name, name, field, True)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        fields = [model._meta.get_field(name) for name in self.fields]
        columns = (
            f"ADD COLUMN {schema_editor.quote_name(field.column)} {schema_editor.column_sql(model, field)[0]}"
            for field in fields
        )
        schema_editor.execute(
            f"ALTER TABLE {schema_editor.quote_name(model._meta.db_table)} {', '.join(columns)}", None
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        columns = ", ".join(f"DROP COLUMN {schema_editor.quote_name(name)}" for name in self.fields)
        schema_editor.execute(f"ALTER TABLE {schema_editor.quote_name(model._meta.db_table)} {columns}", None)
