//! Which rows somebody may be shown: those they own.

use super::columns::column;
use crate::principal::Principal;
use crate::resource::{AccessVerb, Resource, Resources};
use crate::statement::Value;

/// What no row meets.
const NOBODY: &str = "1 = 0";

/// The condition that holds for the rows of `resource`, called `t{alias}`, that the viewer owns; `None` where the verb
/// is not for owners alone. `bind` makes a placeholder for a value of a type. Without a viewer, and for one who can
/// own none, no row meets it.
pub(super) fn condition(
    resources: &Resources,
    resource: &Resource,
    verb: AccessVerb,
    viewer: Option<&Principal>,
    alias: usize,
    bind: &mut dyn FnMut(Value, Option<&str>) -> String,
) -> Option<String> {
    let index = resource.owners.of(verb)?;
    let owned = &resources.table_of(resource).columns[index];
    let Some(value) = viewer.and_then(|viewer| viewer.value_in(owned)) else {
        return Some(NOBODY.to_owned());
    };
    let target = resources.catalog().dialect().parameter_type(owned);
    let left = column(resources, resource, alias, index);
    Some(format!("{left} = {}", bind(value, target)))
}
