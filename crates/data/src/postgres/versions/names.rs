//! What is installed in a database, under which names.

/// The schema of our own, the channel, and each trigger.
pub(super) const NAME: &str = "paceline_versions";

/// What the schema's comment begins with: by it we know it as ours.
pub(super) const COMMENT: &str = "Paceline: which tables changed";

/// The function's name, in that schema.
pub(super) const FUNCTION: &str = "changed";

/// Its body. The text tells layouts apart: a trigger with another one counts as none.
pub(super) const BODY: &str = "\
BEGIN
  PERFORM pg_catalog.pg_notify('paceline_versions', TG_RELID::pg_catalog.text);
  RETURN NULL;
END";

/// What is told when triggers come or go.
pub(super) const LAYOUT: &str = "layout";

/// What the marks of writes begin with.
pub(super) const MARK: char = 'w';
