//! Resource objects of JSON:API, and links to related rows.

use super::Columns;
use crate::encode::{Link, Linkage, Linked, Related, ResourceShape, Shape};
use crate::plan::links;
use crate::query::Selection;
use crate::resource::{Cardinality, Resource, Resources};

impl Columns {
    /// A resource object: id, attributes, linkage, and the objects to include.
    pub(super) fn add_object(
        &mut self,
        resources: &Resources,
        selection: &Selection,
        alias: usize,
    ) -> ResourceShape {
        let resource = resources.get(selection.resource);
        self.note(resource);
        let id = self.key(resources, resource, alias);
        let mut attributes = Shape::new(self.integers);
        for &index in &selection.fields {
            let field = &resource.fields[index];
            // The id is told as the id.
            if resource.key != [field.column] {
                let place = self.column(resources, resource, alias, field.column);
                attributes.column(&field.name, place, field.kind);
            }
        }
        let mut included = Vec::new();
        let mut met = Vec::new();
        for (index, nested) in &selection.nested {
            let relation = &resource.relations[*index];
            let (linked, related) = match relation.cardinality {
                Cardinality::One => {
                    let inner = self.enter(resources, resource, alias, *index);
                    let shape = self.add_object(resources, nested, inner);
                    (Linked::One(shape.id.clone()), Related::One(shape))
                }
                Cardinality::Many { limit } => {
                    let build = |inner: &mut Self, base| inner.add_object(resources, nested, base);
                    let (place, shape) = self.gather(resources, resource, alias, *index, build);
                    let (related, next) = self.links(resources, resource, alias, *index);
                    let linked = Linked::Many {
                        place,
                        limit,
                        id: shape.id.clone(),
                        related,
                        next,
                    };
                    let many = Related::Many {
                        place,
                        limit,
                        shape,
                    };
                    (linked, many)
                }
            };
            included.push(related);
            met.push((*index, linked));
        }
        let linked = selection
            .links
            .iter()
            .filter_map(|&index| {
                let known = met.iter().find(|(known, _)| *known == index);
                let known = known.map(|(_, linked)| linked.clone());
                self.linkage(resources, resource, alias, index, known)
            })
            .collect();
        ResourceShape {
            type_name: resource.type_name.clone(),
            id,
            attributes,
            linked,
            included,
        }
    }

    /// What a relationship tells: which rows it leads to when the row itself says so, or they are included; else where
    /// they are. `None` when related rows have no id, or no address.
    fn linkage(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
        met: Option<Linked>,
    ) -> Option<Linkage> {
        let relation = &resource.relations[index];
        let target = resources.get(relation.target);
        if !target.has_key() {
            return None;
        }
        let own = |key: &usize| {
            let place = relation.target_columns.iter().position(|to| to == key)?;
            Some(relation.columns[place])
        };
        let own: Option<Vec<usize>> = target.key.iter().map(own).collect();
        let linked = match (met, own) {
            (Some(met @ Linked::Many { .. }), _) => met,
            (_, Some(own)) if relation.is_forward => {
                let id = own.into_iter();
                let id = id.map(|index| self.column(resources, resource, alias, index));
                Linked::One(id.collect())
            }
            (Some(met), _) => met,
            (None, _) if relation.is_forward => {
                let inner = self.enter(resources, resource, alias, index);
                self.note(target);
                Linked::One(self.key(resources, target, inner))
            }
            (None, _) if relation.is_many() => {
                Linked::Elsewhere(self.links(resources, resource, alias, index).0?)
            }
            (None, _) => return None,
        };
        Some(Linkage {
            name: relation.name.clone(),
            type_name: target.type_name.clone(),
            linked,
        })
    }

    /// The list of a row's related rows, and the part of it that is not shown here.
    pub(super) fn links(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
    ) -> (Option<Link>, Option<Link>) {
        let relation = &resource.relations[index];
        let Some(address) = links::address(resources, resource, relation) else {
            return (None, None);
        };
        let fields = address.fields.into_iter();
        let fields = fields
            .map(|(name, column)| (name, self.column(resources, resource, alias, column)))
            .collect();
        let path = format!("{}/{}", self.base_path, address.segment);
        let all = Link::new(&path, fields);
        let next = links::next_page(resources, relation, self.json_api);
        let rest = match next {
            Some(next) => all.clone().with(&next),
            None => all.clone(),
        };
        (Some(all), Some(rest))
    }
}
