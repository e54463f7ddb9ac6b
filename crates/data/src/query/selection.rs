//! What of a row is wanted: one canonical form for every spelling.

use std::collections::BTreeMap;

use super::error::{QueryError, QueryErrorCode};
use super::fields::{DEEPEST_SELECTION, FieldNode};
use super::{Dialect, MOST_JOINS, MOST_RELATED_ROWS};
use crate::plan::LARGE_TABLE;
use crate::resource::{Cardinality, Resource, ResourceId, Resources, searched_whole};

/// Fields and relations of one resource, in the resource's order and without duplicates: two
/// requests that mean the same have equal selections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Whose fields.
    pub resource: ResourceId,
    /// The fields, by index in the resource, ascending.
    pub fields: Vec<usize>,
    /// Relations of which only is told which rows they lead to, ascending. JSON:API only.
    pub links: Vec<usize>,
    /// Relations whose rows are shown, by index in the resource, ascending.
    pub nested: Vec<(usize, Selection)>,
}

impl Selection {
    fn empty(resource: ResourceId) -> Self {
        Self {
            resource,
            fields: Vec::new(),
            links: Vec::new(),
            nested: Vec::new(),
        }
    }

    /// Every field of a resource, and nothing related.
    pub(crate) fn whole(resource: &Resource) -> Self {
        Self {
            fields: (0..resource.fields.len()).collect(),
            ..Self::empty(resource.id)
        }
    }

    /// The number of rows' worth of tables it reads beyond the first.
    pub fn joins(&self) -> usize {
        self.nested
            .iter()
            .map(|(_, nested)| 1 + nested.joins())
            .sum()
    }

    /// Every resource whose rows are shown, the base first; those of junctions too.
    pub fn resources(&self, resources: &Resources) -> Vec<ResourceId> {
        let mut found = vec![self.resource];
        for (relation, nested) in &self.nested {
            let relation = &resources.get(self.resource).relations[*relation];
            found.extend(
                relation
                    .junction
                    .as_ref()
                    .and_then(|junction| junction.resource),
            );
            found.extend(nested.resources(resources));
        }
        found
    }

    /// How many related rows one row may show at most.
    fn most_rows(&self, resources: &Resources) -> u64 {
        let relations = &resources.get(self.resource).relations;
        let rows = self.nested.iter().map(|(relation, nested)| {
            let own = match relations[*relation].cardinality {
                Cardinality::One => 1,
                Cardinality::Many { limit } => u64::from(limit),
            };
            own.saturating_mul(nested.most_rows(resources).saturating_add(1))
        });
        rows.fold(0, u64::saturating_add)
    }

    /// Why its related rows are not read, if they are not: a large table would be read whole for each row.
    fn reads_too_much(&self, resources: &Resources) -> Option<String> {
        let relations = &resources.get(self.resource).relations;
        self.nested.iter().find_map(|(index, nested)| {
            let relation = &relations[*index];
            let is_free = resources.get(relation.target).allow_unindexed;
            let searched = searched_whole(resources, relation).filter(|_| !is_free);
            let large = searched.filter(|(table, _)| {
                let rows = table.approximate_rows;
                rows.is_some_and(|rows| rows > LARGE_TABLE)
            });
            let refused = large.map(|_| {
                format!(
                    "{:?} would read a whole table for each row: it has more than {LARGE_TABLE} rows and no index by \
                     which related rows are found. Leave it out, or have the operator create an index.",
                    relation.name
                )
            });
            refused.or_else(|| nested.reads_too_much(resources))
        })
    }

    fn add_field(&mut self, field: usize) {
        if let Err(place) = self.fields.binary_search(&field) {
            self.fields.insert(place, field);
        }
    }

    fn add_link(&mut self, relation: usize) {
        if let Err(place) = self.links.binary_search(&relation) {
            self.links.insert(place, relation);
        }
    }

    /// The selection beneath a relation, made empty when it is new; and whether it is new.
    fn beneath(&mut self, relation: usize, target: ResourceId) -> (&mut Selection, bool) {
        let found = self
            .nested
            .binary_search_by_key(&relation, |(index, _)| *index);
        let place = found.unwrap_or_else(|place| place);
        if found.is_err() {
            self.nested.insert(place, (relation, Self::empty(target)));
        }
        (&mut self.nested[place].1, found.is_err())
    }
}

/// The parameters that make up a selection, parsed but not yet matched.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) fields: Option<Vec<FieldNode>>,
    pub(super) typed: BTreeMap<String, Vec<String>>,
    pub(super) include: Vec<FieldNode>,
}

impl Wanted {
    pub(super) fn resolve(
        &self,
        resources: &Resources,
        resource: &Resource,
        dialect: Dialect,
    ) -> Result<Selection, QueryError> {
        let resolver = Resolver {
            resources,
            wanted: self,
            dialect,
        };
        if let (Some(_), Some(name)) = (&self.fields, self.typed.keys().next()) {
            let parameter = format!("fields[{name}]");
            let detail = "Use either fields= or fields[type]=, not both.";
            return Err(QueryError::new(
                QueryErrorCode::ConflictingParameters,
                &parameter,
                detail,
            ));
        }
        for name in self.typed.keys() {
            resolver.check_type(name)?;
        }
        let mut selection = Selection::empty(resource.id);
        match &self.fields {
            Some(nodes) => resolver.add_nodes(nodes, &mut selection)?,
            None => resolver.add_own(&mut selection, &mut vec![resource.id])?,
        }
        resolver.include(&self.include, &mut selection)?;
        if selection.joins() > MOST_JOINS {
            let detail = format!("The selection follows more than {MOST_JOINS} relations.");
            return Err(QueryError::new(QueryErrorCode::TooMuch, "fields", detail));
        }
        let parameter = if self.include.is_empty() {
            "fields"
        } else {
            "include"
        };
        if let Some(detail) = selection.reads_too_much(resources) {
            return Err(QueryError::new(
                QueryErrorCode::Unindexed,
                parameter,
                detail,
            ));
        }
        if selection.most_rows(resources) > MOST_RELATED_ROWS {
            let detail = format!(
                "More than {MOST_RELATED_ROWS} rows could be related to one. Ask for fewer relations inside each other."
            );
            return Err(QueryError::new(QueryErrorCode::TooMuch, parameter, detail));
        }
        Ok(selection)
    }
}

struct Resolver<'a> {
    resources: &'a Resources,
    wanted: &'a Wanted,
    dialect: Dialect,
}

impl Resolver<'_> {
    fn check_type(&self, name: &str) -> Result<(), QueryError> {
        let mut types = self
            .resources
            .all()
            .iter()
            .map(|resource| resource.type_name.as_str());
        if types.any(|known| known == name) {
            return Ok(());
        }
        let types = self
            .resources
            .all()
            .iter()
            .map(|resource| resource.type_name.as_str());
        Err(QueryError::unknown(
            QueryErrorCode::UnknownField,
            &format!("fields[{name}]"),
            "type",
            name,
            types,
        ))
    }

    /// Adds `a,b(c)`: a name alone is a field, else a relation with its target's own fields; a name
    /// with others beneath is a relation.
    fn add_nodes(&self, nodes: &[FieldNode], selection: &mut Selection) -> Result<(), QueryError> {
        let resource = self.resources.get(selection.resource);
        for node in nodes {
            let field = resource.field(&node.name);
            match (
                field,
                node.children.is_empty(),
                resource.relation(&node.name),
            ) {
                (Some(field), true, _) => selection.add_field(field),
                (_, false, Some(relation)) => {
                    let target = resource.relations[relation].target;
                    self.link(selection, relation);
                    self.add_nodes(&node.children, selection.beneath(relation, target).0)?;
                }
                (None, true, Some(relation)) => {
                    let target = resource.relations[relation].target;
                    self.link(selection, relation);
                    self.add_own(
                        selection.beneath(relation, target).0,
                        &mut vec![resource.id, target],
                    )?;
                }
                (Some(_), false, None) => {
                    let detail = format!(
                        "{:?} is a plain field, nothing can be selected beneath it.",
                        node.name
                    );
                    return Err(QueryError::new(
                        QueryErrorCode::UnknownField,
                        "fields",
                        detail,
                    ));
                }
                (None, _, None) => return Err(unknown_field("fields", resource, &node.name)),
            }
        }
        Ok(())
    }

    /// Tells in JSON:API which of the included rows belong to the row.
    fn link(&self, selection: &mut Selection, relation: usize) {
        if self.dialect == Dialect::JsonApi {
            selection.add_link(relation);
        }
    }

    /// Adds what a resource shows by itself: the fields asked for its type, else its default ones.
    fn add_own(
        &self,
        selection: &mut Selection,
        path: &mut Vec<ResourceId>,
    ) -> Result<(), QueryError> {
        let resource = self.resources.get(selection.resource);
        let Some(names) = self.wanted.typed.get(&resource.type_name) else {
            resource
                .default_fields
                .iter()
                .for_each(|field| selection.add_field(*field));
            if self.dialect == Dialect::JsonApi {
                (0..resource.relations.len()).for_each(|relation| selection.add_link(relation));
            }
            return Ok(());
        };
        let parameter = format!("fields[{}]", resource.type_name);
        for name in names {
            if let Some(field) = resource.field(name) {
                selection.add_field(field);
            } else if let Some(relation) = resource.relation(name) {
                self.add_typed_relation(resource, relation, selection, path)?;
            } else if name != "id" {
                return Err(unknown_field(&parameter, resource, name));
            }
        }
        Ok(())
    }

    /// A relation named in `fields[type]`: linked in JSON:API, its rows elsewhere. A resource is not
    /// entered again beneath itself, or this would never end.
    fn add_typed_relation(
        &self,
        resource: &Resource,
        relation: usize,
        selection: &mut Selection,
        path: &mut Vec<ResourceId>,
    ) -> Result<(), QueryError> {
        let target = resource.relations[relation].target;
        if self.dialect == Dialect::JsonApi {
            selection.add_link(relation);
        } else if !path.contains(&target) && path.len() < DEEPEST_SELECTION {
            path.push(target);
            self.add_own(selection.beneath(relation, target).0, path)?;
            path.pop();
        }
        Ok(())
    }

    fn include(&self, nodes: &[FieldNode], selection: &mut Selection) -> Result<(), QueryError> {
        let resource = self.resources.get(selection.resource);
        for node in nodes {
            let Some(relation) = resource.relation(&node.name) else {
                let known = resource
                    .relations
                    .iter()
                    .map(|relation| relation.name.as_str());
                return Err(QueryError::unknown(
                    QueryErrorCode::UnknownField,
                    "include",
                    "relation",
                    &node.name,
                    known,
                ));
            };
            let target = resource.relations[relation].target;
            let (beneath, new) = selection.beneath(relation, target);
            if new {
                self.add_own(beneath, &mut vec![resource.id, target])?;
            }
            self.include(&node.children, beneath)?;
        }
        Ok(())
    }
}

fn unknown_field(parameter: &str, resource: &Resource, name: &str) -> QueryError {
    let fields = resource.fields.iter().map(|field| field.name.as_str());
    let relations = resource
        .relations
        .iter()
        .map(|relation| relation.name.as_str());
    QueryError::unknown(
        QueryErrorCode::UnknownField,
        parameter,
        "field",
        name,
        fields.chain(relations),
    )
}
