//! Relations against the direction of foreign keys: rows that refer to a row, and the rows that a junction relates
//! to it.

use std::collections::BTreeMap;

use super::error::{DidYouMean, ResourceErrorKind, nearest};
use super::relation::{Mistake, named_columns, referred, shown_by};
use super::{Cardinality, Junction, Relation, RelationSpec, Resource, ResourceId};
use crate::catalog::{Catalog, ForeignKey, Table};

/// A way from a resource to the rows of another, not yet named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    columns: Vec<usize>,
    target: ResourceId,
    target_columns: Vec<usize>,
    junction: Option<Junction>,
    is_one: bool,
}

impl Way {
    fn named(self, name: String, limit: u32) -> Relation {
        Relation {
            name,
            alias: None,
            columns: self.columns,
            target: self.target,
            target_columns: self.target_columns,
            cardinality: if self.is_one {
                Cardinality::One
            } else {
                Cardinality::Many { limit }
            },
            is_forward: false,
            junction: self.junction,
        }
    }

    /// Whether it goes by the same foreign keys, whichever resource shows their table.
    fn is_same(&self, other: &Relation, resources: &[Resource]) -> bool {
        let table = |id: ResourceId| resources[id.index()].table;
        let by = |junction: &Junction| (junction.table, junction.near.clone());
        self.target_columns == other.target_columns
            && table(self.target) == table(other.target)
            && self.junction.as_ref().map(by) == other.junction.as_ref().map(by)
    }
}

/// What the ways to and from one resource are looked up in.
#[derive(Clone, Copy)]
struct Schema<'a> {
    catalog: &'a Catalog,
    resources: &'a [Resource],
    resource: &'a Resource,
}

/// The relations of `resource` that lead against foreign keys; mistakes in the configured ones are added to
/// `mistakes`. The other relations of all resources must be there already.
pub(super) fn resolve(
    catalog: &Catalog,
    resources: &[Resource],
    resource: &Resource,
    configured: &BTreeMap<String, RelationSpec>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Relation> {
    let schema = Schema {
        catalog,
        resources,
        resource,
    };
    let mut relations: Vec<Relation> = Vec::new();
    for (name, spec) in configured {
        if let Err((key, value, kind, message)) = schema.check(name, spec) {
            mistakes.push((format!("relations.{name}{key}"), value, kind, message));
            continue;
        }
        let way = match (&spec.from, &spec.through) {
            (Some(from), None) => schema.configured_from(from, &spec.by),
            (None, Some(through)) => schema.configured_through(through, &spec.by),
            _ => continue,
        };
        let limit = spec.limit.unwrap_or(RelationSpec::DEFAULT_LIMIT);
        match way {
            Ok(way) if way.is_one && spec.limit.is_some() => {
                let message = format!("{name:?} leads to one row: it takes no limit");
                let key = format!("relations.{name}.limit");
                mistakes.push((key, limit.to_string(), ResourceErrorKind::Invalid, message));
            }
            Ok(way) => relations.push(way.named(name.clone(), limit)),
            Err((key, value, kind, message)) => {
                mistakes.push((format!("relations.{name}{key}"), value, kind, message));
            }
        }
    }
    schema.derive(configured, &mut relations, mistakes);
    relations
}

impl Schema<'_> {
    /// What can be wrong with a configured relation by itself.
    fn check(&self, name: &str, spec: &RelationSpec) -> Result<(), Mistake> {
        use ResourceErrorKind::{Duplicate, Invalid};
        let wrong = |key: &str, value: String, kind, message: String| {
            Err((key.to_owned(), value, kind, message))
        };
        if let Some(limit) = spec.limit
            && !(1..=RelationSpec::MAX_LIMIT).contains(&limit)
        {
            let message = format!("a limit is a number from 1 to {}", RelationSpec::MAX_LIMIT);
            return wrong(".limit", limit.to_string(), Invalid, message);
        }
        if spec.from.is_none() && spec.through.is_none() {
            return Ok(());
        }
        if let (Some(from), Some(_)) = (&spec.from, &spec.through) {
            let message = "a relation has either from or through".to_owned();
            return wrong(".from", from.clone(), Invalid, message);
        }
        let taken = self.resource.field(name).is_some()
            || self
                .resource
                .relations
                .iter()
                .any(|known| known.name == name);
        if taken {
            let message = format!(
                "{name:?} is a field or a relation already: choose another name for the relation"
            );
            return wrong("", name.to_owned(), Duplicate, message);
        }
        Ok(())
    }

    /// The way of `from = "posts"`.
    fn configured_from(&self, from: &str, by: &str) -> Result<Way, Mistake> {
        use ResourceErrorKind::{Invalid, Unknown};
        let Some(source) = self.resources.iter().find(|source| source.name == from) else {
            let near = nearest(
                from,
                self.resources.iter().map(|source| source.name.as_str()),
            );
            let message = format!("there is no resource {from:?}.{}", DidYouMean(near));
            return Err((".from".to_owned(), from.to_owned(), Unknown, message));
        };
        let table = self.catalog.table(source.table);
        let mut ways = self.direct(source);
        if !by.is_empty() {
            let columns = named_columns(table, by)
                .map_err(|message| (".by".to_owned(), by.to_owned(), Unknown, message))?;
            ways.retain(|way| same(&way.target_columns, &columns));
        }
        only(ways).map_err(|found| {
            let message = match found {
                0 => format!(
                    "{from:?} has no such foreign key to a unique key of {:?}",
                    self.resource.name
                ),
                _ => format!(
                    "several foreign keys of {from:?} lead here: say which, by = \"its column\""
                ),
            };
            (".from".to_owned(), from.to_owned(), Invalid, message)
        })
    }

    /// The way of `through = "post_tags"`.
    fn configured_through(&self, through: &str, by: &str) -> Result<Way, Mistake> {
        use ResourceErrorKind::{Invalid, Unknown};
        let named = self.resources.iter().find(|known| known.name == through);
        let table = named.map(|known| self.catalog.table(known.table));
        let Some(table) = table.or_else(|| self.catalog.find(through)) else {
            let near = nearest(
                through,
                self.catalog
                    .tables()
                    .iter()
                    .map(|table| table.name.as_str()),
            );
            let message = format!("the database has no table {through:?}.{}", DidYouMean(near));
            return Err((".through".to_owned(), through.to_owned(), Unknown, message));
        };
        let keys: Vec<&ForeignKey> = table.foreign_keys.iter().collect();
        let mut ways = self.through(table, &keys, &|columns| table.is_unique(columns));
        if !by.is_empty() {
            let columns = named_columns(table, by)
                .map_err(|message| (".by".to_owned(), by.to_owned(), Unknown, message))?;
            ways.retain(|way| {
                let junction = way.junction.as_ref();
                junction.is_some_and(|junction| same(&junction.near, &columns))
            });
        }
        only(ways).map_err(|found| {
            let message = match found {
                0 => format!(
                    "{through:?} has no two foreign keys, unique together, of which one leads to {:?} and the other to a resource",
                    self.resource.name
                ),
                _ => format!("{through:?} leads there in several ways: say which columns refer to this resource, by = \"column\""),
            };
            (".through".to_owned(), through.to_owned(), Invalid, message)
        })
    }

    /// The ways to the rows of `source` that refer to this resource, in the order of its foreign keys.
    fn direct(&self, source: &Resource) -> Vec<Way> {
        let table = self.catalog.table(source.table);
        let mut ways: Vec<Way> = Vec::new();
        for key in &table.foreign_keys {
            let Some((own, columns)) = referred(self.catalog, key) else {
                continue;
            };
            let known = ways.iter().any(|way| way.target_columns == key.columns);
            if own.id == self.resource.table && !known {
                ways.push(Way {
                    columns,
                    target: source.id,
                    target_columns: key.columns.clone(),
                    junction: None,
                    is_one: table.is_unique(&key.columns),
                });
            }
        }
        ways
    }

    /// The ways over a table by two of these foreign keys, the first of which leads to this resource.
    fn through(
        &self,
        table: &Table,
        keys: &[&ForeignKey],
        is_unique: &dyn Fn(&[usize]) -> bool,
    ) -> Vec<Way> {
        let mut ways = Vec::new();
        for (place, near) in keys.iter().enumerate() {
            let Some((own, columns)) = referred(self.catalog, near) else {
                continue;
            };
            if own.id != self.resource.table {
                continue;
            }
            for (other, far) in keys.iter().enumerate() {
                let both = [near.columns.as_slice(), &far.columns].concat();
                let overlap = far
                    .columns
                    .iter()
                    .any(|column| near.columns.contains(column));
                if other == place || overlap || !is_unique(&both) {
                    continue;
                }
                let Some((target, target_columns)) = referred(self.catalog, far) else {
                    continue;
                };
                let Some(target) = shown_by(self.resources, target) else {
                    continue;
                };
                ways.push(Way {
                    columns: columns.clone(),
                    target: target.id,
                    target_columns,
                    junction: Some(Junction {
                        table: table.id,
                        resource: shown_by(self.resources, table).map(|shown| shown.id),
                        near: near.columns.clone(),
                        far: far.columns.clone(),
                    }),
                    is_one: false,
                });
            }
        }
        ways
    }

    /// Names the ways that the configuration does not name: by exposed columns only.
    fn derive(
        &self,
        configured: &BTreeMap<String, RelationSpec>,
        relations: &mut Vec<Relation>,
        mistakes: &mut Vec<Mistake>,
    ) {
        let mut ways = Vec::new();
        for table in self.catalog.tables() {
            let Some(shown) = shown_by(self.resources, table) else {
                continue;
            };
            let exposed = |columns: &[usize]| {
                let field = |column: &usize| shown.field_of_column(*column).is_some();
                columns.iter().all(field)
            };
            let direct = self.direct(shown).into_iter();
            ways.extend(direct.filter(|way| exposed(&way.target_columns)));
            let keys = keys_within(table);
            if keys.len() == 2 && exposed(&table.primary_key) {
                let whole = |columns: &[usize]| same(columns, &table.primary_key);
                ways.extend(self.through(table, &keys, &whole));
            }
        }
        ways.retain(|way| {
            let named = |known: &Relation| way.is_same(known, self.resources);
            !relations.iter().any(named)
        });
        // Those over junctions come last.
        ways.sort_by_key(|way| way.junction.is_some());
        let short: Vec<&str> = ways.iter().map(|way| self.short_name(way)).collect();
        let names: Vec<String> = ways
            .iter()
            .map(|way| {
                let name = self.short_name(way);
                let alone = short.iter().filter(|other| **other == name).count() == 1;
                if alone && !self.is_of_itself(way) && !self.is_taken(name, relations) {
                    name.to_owned()
                } else {
                    self.long_name(way)
                }
            })
            .collect();
        let mut derived = Vec::new();
        for (way, name) in ways.into_iter().zip(&names) {
            let alone = names.iter().filter(|other| *other == name).count() == 1;
            if alone && !self.is_taken(name, relations) {
                let spec = configured.get(name);
                let limit = spec.and_then(|spec| spec.limit);
                let limit = limit.unwrap_or(RelationSpec::DEFAULT_LIMIT);
                derived.push(way.named(name.clone(), limit));
            }
        }
        bounds_without_relation(configured, &derived, mistakes);
        relations.extend(derived);
    }

    fn is_taken(&self, name: &str, relations: &[Relation]) -> bool {
        let mut known = self.resource.relations.iter().chain(relations);
        self.resource.field(name).is_some() || known.any(|relation| relation.name == name)
    }

    /// Whether both ends are one table: then the table's name does not say which end is meant.
    fn is_of_itself(&self, way: &Way) -> bool {
        self.resources[way.target.index()].table == self.resource.table
    }

    fn short_name(&self, way: &Way) -> &str {
        &self.resources[way.target.index()].name
    }

    /// The name that also says by which key.
    fn long_name(&self, way: &Way) -> String {
        let target = &self.resources[way.target.index()];
        let by = match &way.junction {
            None => self.forward_name(target, &way.target_columns),
            Some(junction) => {
                let resource = junction.resource.map(|id| &self.resources[id.index()]);
                match resource {
                    Some(resource) if self.is_of_itself(way) => {
                        self.forward_name(resource, &junction.far)
                    }
                    Some(resource) => resource.name.clone(),
                    None => self.catalog.table(junction.table).name.clone(),
                }
            }
        };
        format!("{}_by_{by}", target.name)
    }

    /// What the relation along this foreign key is called; else its columns.
    fn forward_name(&self, resource: &Resource, columns: &[usize]) -> String {
        let along = resource
            .relations
            .iter()
            .find(|relation| relation.columns == columns);
        let table = self.catalog.table(resource.table);
        let names = columns
            .iter()
            .map(|&column| table.columns[column].name.as_str());
        along.map_or_else(
            || names.collect::<Vec<_>>().join("_"),
            |relation| relation.name.clone(),
        )
    }
}

/// A bound for a derived relation needs one.
fn bounds_without_relation(
    configured: &BTreeMap<String, RelationSpec>,
    derived: &[Relation],
    mistakes: &mut Vec<Mistake>,
) {
    let alone =
        |spec: &RelationSpec| spec.from.is_none() && spec.through.is_none() && spec.by.is_empty();
    for (name, _) in configured.iter().filter(|(_, spec)| alone(spec)) {
        let known = derived.iter().find(|relation| relation.name == *name);
        let key = format!("relations.{name}");
        if known.is_none() {
            let names = derived.iter().map(|relation| relation.name.as_str());
            let message = format!(
                "no relation to several rows is called {name:?} by itself: say where it comes from, with by, from or through.{}",
                DidYouMean(nearest(name, names))
            );
            mistakes.push((key, name.clone(), ResourceErrorKind::Unknown, message));
        } else if known.is_some_and(|known| !known.is_many()) {
            let message = format!("{name:?} leads to one row: it takes no limit");
            mistakes.push((key, name.clone(), ResourceErrorKind::Invalid, message));
        }
    }
}

/// The foreign keys that lie within the primary key.
fn keys_within(table: &Table) -> Vec<&ForeignKey> {
    let within = |key: &&ForeignKey| {
        let part = |column: &usize| table.primary_key.contains(column);
        key.columns.iter().all(part)
    };
    table.foreign_keys.iter().filter(within).collect()
}

/// Whether two lists have the same columns, in any order.
fn same(left: &[usize], right: &[usize]) -> bool {
    left.len() == right.len() && left.iter().all(|column| right.contains(column))
}

/// The only one, or how many there are.
fn only(mut ways: Vec<Way>) -> Result<Way, usize> {
    match (ways.pop(), ways.len()) {
        (Some(way), 0) => Ok(way),
        (None, _) => Err(0),
        (Some(_), others) => Err(others + 1),
    }
}
