//! Which relations make up a table or a view, and whether all of them tell of their changes. Pure: what the server's
//! catalog says comes in from outside.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::ledger::Layout;
use crate::catalog::{Catalog, TableId};

/// What kind of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table, partitioned or not: statements on it can tell.
    Table,
    View,
    /// A materialised view, or a table of another server: their rows change without a statement of this server's.
    Other,
}

/// Who sees which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSecurity {
    None,
    /// There is, for other roles than ours.
    Others,
    /// There is, for our role: policies may read other tables, and the clock.
    Ours,
}

/// A relation as the server's catalog describes it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a yes or a no"
)]
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether it is found by its name alone, and is no partition.
    pub(super) served: bool,
    /// Whether each statement that changes it is told, in every session.
    pub(super) told: bool,
    pub(super) row_security: RowSecurity,
    /// Whether logical replication writes to it, which fires no trigger of a statement.
    pub(super) replicated: bool,
    /// Of a view: whether its rows depend on nothing but the relations it reads.
    pub(super) pure: bool,
}

/// The relations of a database, and how they hang together.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) relations: HashMap<u32, Relation>,
    /// Parents and children, by inheritance or as partitions.
    pub(super) parents: HashMap<u32, Vec<u32>>,
    pub(super) children: HashMap<u32, Vec<u32>>,
    /// What each view reads.
    pub(super) reads: HashMap<u32, Vec<u32>>,
}

/// Why not every change of a table is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untold {
    /// This table has no trigger of ours, or it is switched off.
    NoTrigger(String),
    /// This materialised view or table of another server tells nothing.
    NotATable(String),
    /// Row security of this table is about our role.
    RowSecurity(String),
    /// Logical replication writes to this table.
    Replicated(String),
    /// This view depends on more than the tables it reads: the clock, settings, functions of the schema's own.
    Impure(String),
    /// This view reads something that is not in the schema, such as the server's catalog.
    Elsewhere(String),
}

impl std::fmt::Display for Untold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTrigger(name) => write!(
                f,
                "{name} has no trigger that tells of changes: run `paceline migrate install-versions`"
            ),
            Self::NotATable(name) => write!(
                f,
                "{name} is a materialised view or a foreign table, which tells nothing"
            ),
            Self::RowSecurity(name) => {
                write!(f, "row security of {name} is in force for this role")
            }
            Self::Replicated(name) => write!(
                f,
                "logical replication writes to {name}, which fires no trigger"
            ),
            Self::Impure(name) => write!(
                f,
                "the view {name} depends on more than tables: the clock, settings or functions of its own"
            ),
            Self::Elsewhere(name) => write!(
                f,
                "the view {name} reads something outside the schema, such as the server's catalog"
            ),
        }
    }
}

impl Relation {
    fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

impl Schema {
    /// The number of the relation a table of the catalog is.
    fn number(&self, schema: Option<&str>, name: &str) -> Option<u32> {
        let found = self
            .relations
            .iter()
            .find(|(_, relation)| relation.name == name && schema == Some(&*relation.schema));
        found.map(|(number, _)| *number)
    }

    /// Which tables of the catalog are told of, and by whom; and of the others, why not.
    pub(super) fn layout(&self, catalog: &Catalog) -> (Layout, Vec<(TableId, Untold)>) {
        let mut layout = Layout {
            known: vec![false; catalog.tables().len()],
            shown_by: HashMap::new(),
        };
        let mut untold = Vec::new();
        for (number, relation) in &self.relations {
            if relation.told {
                layout.shown_by.insert(*number, Vec::new());
            }
        }
        let numbers: HashMap<(&str, &str), u32> = self
            .relations
            .iter()
            .map(|(number, relation)| ((&*relation.schema, &*relation.name), *number))
            .collect();
        for table in catalog.tables() {
            let schema = table.schema.as_deref().unwrap_or_default();
            // One that is gone has no rows to tell of.
            let Some(&number) = numbers.get(&(schema, &*table.name)) else {
                continue;
            };
            match self.sources(number) {
                Ok(sources) => {
                    layout.known[table.id.index()] = true;
                    for source in sources {
                        layout.shown_by.entry(source).or_default().push(table.id);
                    }
                }
                Err(reason) => untold.push((table.id, reason)),
            }
        }
        (layout, untold)
    }

    /// The relations whose changes are those of this one.
    fn sources(&self, number: u32) -> Result<BTreeSet<u32>, Untold> {
        let mut sources = BTreeSet::new();
        self.add_sources(number, false, &mut HashSet::new(), &mut sources)?;
        Ok(sources)
    }

    fn add_sources(
        &self,
        number: u32,
        in_view: bool,
        seen: &mut HashSet<u32>,
        sources: &mut BTreeSet<u32>,
    ) -> Result<(), Untold> {
        if !seen.insert(number) {
            return Ok(());
        }
        let relation = &self.relations[&number];
        match relation.kind {
            Kind::Other => return Err(Untold::NotATable(relation.full_name())),
            Kind::View if !relation.pure => return Err(Untold::Impure(relation.full_name())),
            Kind::View => {
                for read in self.reads.get(&number).into_iter().flatten() {
                    if !self.relations.contains_key(read) {
                        return Err(Untold::Elsewhere(relation.full_name()));
                    }
                    self.add_sources(*read, true, seen, sources)?;
                }
            }
            Kind::Table => {
                for member in self.family(number) {
                    self.check_told(member, in_view)?;
                    sources.insert(member);
                }
            }
        }
        Ok(())
    }

    fn check_told(&self, number: u32, in_view: bool) -> Result<(), Untold> {
        let relation = &self.relations[&number];
        let name = || relation.full_name();
        let secured = match relation.row_security {
            RowSecurity::None => false,
            // A view may read as another role.
            RowSecurity::Others => in_view,
            RowSecurity::Ours => true,
        };
        if relation.kind != Kind::Table {
            Err(Untold::NotATable(name()))
        } else if secured {
            Err(Untold::RowSecurity(name()))
        } else if relation.replicated {
            Err(Untold::Replicated(name()))
        } else if !relation.told {
            Err(Untold::NoTrigger(name()))
        } else {
            Ok(())
        }
    }

    /// The table, its children, to any depth, and its parents: a statement on a parent changes the rows of children,
    /// and only the triggers of the table it names fire.
    fn family(&self, number: u32) -> BTreeSet<u32> {
        let mut family = BTreeSet::from([number]);
        for relatives in [&self.children, &self.parents] {
            let mut open = vec![number];
            while let Some(next) = open.pop() {
                for other in relatives.get(&next).into_iter().flatten() {
                    // A temporary child is not there for others than its own session.
                    if self.relations.contains_key(other) && family.insert(*other) {
                        open.push(*other);
                    }
                }
            }
        }
        family
    }

    /// The tables that need a trigger so that changes of those named are told: of all that are served when none is.
    ///
    /// # Errors
    /// A name that there is no table or view of.
    pub(super) fn wanted(&self, names: &[String]) -> Result<BTreeSet<u32>, String> {
        let mut open: Vec<u32> = Vec::new();
        if names.is_empty() {
            let served = self
                .relations
                .iter()
                .filter(|(_, relation)| relation.served && !relation.name.starts_with("paceline_"));
            open.extend(served.map(|(number, _)| *number));
        }
        for name in names {
            open.push(self.named(name).ok_or_else(|| name.clone())?);
        }
        let mut seen = HashSet::new();
        let mut wanted = BTreeSet::new();
        while let Some(number) = open.pop() {
            if !seen.insert(number) {
                continue;
            }
            match self.relations[&number].kind {
                Kind::Other => {}
                Kind::View => open.extend(
                    self.reads
                        .get(&number)
                        .into_iter()
                        .flatten()
                        .filter(|read| self.relations.contains_key(read)),
                ),
                Kind::Table => wanted.extend(
                    self.family(number)
                        .into_iter()
                        .filter(|member| self.relations[member].kind == Kind::Table),
                ),
            }
        }
        Ok(wanted)
    }

    /// `name`, or `schema.name`.
    fn named(&self, name: &str) -> Option<u32> {
        let alone = self
            .relations
            .iter()
            .find(|(_, relation)| relation.served && relation.name == name);
        if let Some((number, _)) = alone {
            return Some(*number);
        }
        let (schema, name) = name.split_once('.')?;
        self.number(Some(schema), name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(name: &str, kind: Kind, told: bool) -> Relation {
        Relation {
            schema: "public".to_owned(),
            name: name.to_owned(),
            kind,
            served: true,
            told,
            row_security: RowSecurity::None,
            replicated: false,
            pure: true,
        }
    }

    /// 1 is a table; 2 the parent of 3, which is the parent of 4; 5 a view of 1 and 3; 6 a view of 5; 7 is foreign.
    fn schema() -> Schema {
        let relations = [
            (1, relation("a", Kind::Table, true)),
            (2, relation("p", Kind::Table, true)),
            (3, relation("q", Kind::Table, true)),
            (4, relation("r", Kind::Table, true)),
            (5, relation("v", Kind::View, false)),
            (6, relation("w", Kind::View, false)),
            (7, relation("f", Kind::Other, false)),
        ];
        Schema {
            relations: relations.into(),
            parents: [(3, vec![2]), (4, vec![3])].into(),
            children: [(2, vec![3]), (3, vec![4])].into(),
            reads: [(5, vec![1, 3]), (6, vec![5])].into(),
        }
    }

    #[track_caller]
    fn check(schema: &Schema, number: u32, expected: Result<&[u32], Untold>) {
        let found = schema.sources(number);
        let expected = expected.map(|numbers| numbers.iter().copied().collect());
        assert_eq!(found, expected, "{number}");
    }

    #[test]
    fn a_table_changes_with_its_relatives_and_a_view_with_what_it_reads() {
        let schema = schema();
        check(&schema, 1, Ok(&[1]));
        check(&schema, 2, Ok(&[2, 3, 4]));
        check(&schema, 3, Ok(&[2, 3, 4]));
        check(&schema, 4, Ok(&[2, 3, 4]));
        check(&schema, 5, Ok(&[1, 2, 3, 4]));
        check(&schema, 6, Ok(&[1, 2, 3, 4]));
        check(&schema, 7, Err(Untold::NotATable("public.f".to_owned())));
    }

    #[test]
    fn one_silent_part_is_enough_to_know_nothing() {
        let name = |name: &str| format!("public.{name}");
        let with = |number: u32, change: fn(&mut Relation)| {
            let mut schema = schema();
            change(schema.relations.get_mut(&number).unwrap());
            schema
        };
        let quiet = with(4, |relation| relation.told = false);
        check(&quiet, 2, Err(Untold::NoTrigger(name("r"))));
        check(&quiet, 6, Err(Untold::NoTrigger(name("r"))));
        check(&quiet, 1, Ok(&[1]));
        let foreign = with(4, |relation| relation.kind = Kind::Other);
        check(&foreign, 2, Err(Untold::NotATable(name("r"))));
        let replicated = with(1, |relation| relation.replicated = true);
        check(&replicated, 5, Err(Untold::Replicated(name("a"))));
        let secured = with(1, |relation| relation.row_security = RowSecurity::Others);
        check(&secured, 1, Ok(&[1]));
        check(&secured, 5, Err(Untold::RowSecurity(name("a"))));
        let secured = with(1, |relation| relation.row_security = RowSecurity::Ours);
        check(&secured, 1, Err(Untold::RowSecurity(name("a"))));
        let impure = with(5, |relation| relation.pure = false);
        check(&impure, 6, Err(Untold::Impure(name("v"))));
        let mut elsewhere = schema();
        elsewhere.reads.insert(5, vec![1, 99]);
        check(&elsewhere, 6, Err(Untold::Elsewhere(name("v"))));
    }

    #[test]
    fn what_is_installed_covers_views_and_relatives() {
        let schema = schema();
        let wanted = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            schema.wanted(&names)
        };
        assert_eq!(wanted(&[]), Ok([1, 2, 3, 4].into()));
        assert_eq!(wanted(&["a"]), Ok([1].into()));
        assert_eq!(wanted(&["public.q"]), Ok([2, 3, 4].into()));
        assert_eq!(wanted(&["w"]), Ok([1, 2, 3, 4].into()));
        assert_eq!(wanted(&["f"]), Ok([].into()));
        assert_eq!(wanted(&["a", "nope"]), Err("nope".to_owned()));
    }
}
