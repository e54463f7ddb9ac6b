//! What a client may choose from: the allow-list of one type.

use std::sync::Arc;

/// A type whose fields clients may choose.
///
/// Containers have the schema of what is in them.
pub trait Selectable {
    /// Its schema; the same each time.
    fn schema() -> &'static Schema;
}

macro_rules! containers {
    ($($container:ty),*) => {$(
        impl<T: Selectable> Selectable for $container {
            fn schema() -> &'static Schema {
                T::schema()
            }
        }
    )*};
}

containers!(&T, Box<T>, Arc<T>, [T], Vec<T>, Option<T>);

/// The fields of one type, as they are named in JSON. What is not listed does not exist for clients: it is
/// never shown, and asking for it is the same error as asking for what is not there.
///
/// ```
/// use std::sync::LazyLock;
/// use paceline_http::fields::{Schema, Selectable};
///
/// struct Author;
/// struct Post;
///
/// impl Selectable for Author {
///     fn schema() -> &'static Schema {
///         static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("user").with_fields(["id", "name"]));
///         &SCHEMA
///     }
/// }
///
/// impl Selectable for Post {
///     fn schema() -> &'static Schema {
///         static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
///             Schema::new("post")
///                 .with_fields(["id", "title", "body"])
///                 .with_object::<Author>("author")
///                 .with_default(["id", "title", "author"])
///         });
///         &SCHEMA
///     }
/// }
/// assert_eq!(Post::schema().names().collect::<Vec<_>>(), ["id", "title", "body", "author"]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Schema {
    type_name: &'static str,
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) beneath: Beneath,
    pub(super) is_default: bool,
}

/// What can be selected beneath a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beneath {
    /// Nothing: it is shown whole.
    Nothing,
    /// The fields of a type.
    Object(fn() -> &'static Schema),
    /// Any key.
    Anything,
}

impl Schema {
    /// A schema without fields yet. `type_name` is what `fields[type]` calls it.
    pub fn new(type_name: &'static str) -> Self {
        Self {
            type_name,
            fields: Vec::new(),
        }
    }

    /// Adds fields that are shown whole, whatever is in them.
    pub fn with_fields(self, names: impl IntoIterator<Item = &'static str>) -> Self {
        names
            .into_iter()
            .fold(self, |schema, name| schema.with(name, Beneath::Nothing))
    }

    /// Adds a field of which parts can be chosen: an object, an array of them, or none.
    pub fn with_object<T: Selectable + ?Sized>(self, name: &'static str) -> Self {
        self.with(name, Beneath::Object(T::schema))
    }

    /// Adds a map with keys of any name, of which some can be chosen.
    pub fn with_map(self, name: &'static str) -> Self {
        self.with(name, Beneath::Anything)
    }

    /// Sets what is shown of it when the client says nothing. Default: all fields.
    ///
    /// # Panics
    /// When one of them is not a field.
    pub fn with_default(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.fields
            .iter_mut()
            .for_each(|field| field.is_default = false);
        for name in names {
            let field = self.fields.iter_mut().find(|field| field.name == name);
            field
                .unwrap_or_else(|| panic!("`{name}` is no field of `{}`", self.type_name))
                .is_default = true;
        }
        self
    }

    fn with(mut self, name: &'static str, beneath: Beneath) -> Self {
        self.fields.retain(|field| field.name != name);
        self.fields.push(Field {
            name,
            beneath,
            is_default: true,
        });
        self
    }

    /// The name of the type.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The names of the fields, in the order they were added.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.fields.iter().map(|field| field.name)
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub(super) fn defaults(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_default)
    }

    /// This schema and all beneath it, each type once.
    pub(super) fn reachable(&'static self) -> Vec<&'static Schema> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(schema) = found.get(next).copied() {
            next += 1;
            for field in &schema.fields {
                if let Beneath::Object(target) = field.beneath {
                    let target = target();
                    if found
                        .iter()
                        .all(|known| known.type_name != target.type_name)
                    {
                        found.push(target);
                    }
                }
            }
        }
        found
    }
}
