//! What the service sells, in memory. A real one would ask a database.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use paceline_http::conditional::EntityTag;
use paceline_http::fields::{Schema, Selectable};
use paceline_http::problem::Problem;
use serde::Serialize;

/// The selection of a product without `fields`, in its canonical form.
pub(crate) const WHOLE: &str = "id,name,stock";

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Author {
    id: u64,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Post {
    id: u64,
    title: String,
    body: String,
    author: Author,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Product {
    id: u64,
    name: String,
    pub(crate) stock: u32,
    #[serde(skip)]
    version: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    id: u64,
    name: String,
    email: String,
}

impl Selectable for Author {
    fn schema() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> =
            LazyLock::new(|| Schema::new("user").with_fields(["id", "name"]));
        &SCHEMA
    }
}

impl Selectable for Post {
    fn schema() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            Schema::new("post")
                .with_fields(["id", "title", "body"])
                .with_object::<Author>("author")
                .with_default(["id", "title", "author"])
        });
        &SCHEMA
    }
}

impl Selectable for Product {
    fn schema() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> =
            LazyLock::new(|| Schema::new("product").with_fields(["id", "name", "stock"]));
        &SCHEMA
    }
}

impl Product {
    /// The tag of what `selection` shows of this version.
    pub(crate) fn tag(&self, selection: &str) -> Result<EntityTag, Problem> {
        EntityTag::strong(format!("{}.{selection}", self.version))
            .map_err(|_| Problem::internal("a selection that is no tag"))
    }
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct Shop {
    /// How many there are of what is made on demand.
    posts: u64,
    users: u64,
    products: Mutex<BTreeMap<u64, Product>>,
    /// By address. A real service keeps hashes, and compares those.
    passwords: BTreeMap<&'static str, &'static str>,
}

impl Default for Shop {
    fn default() -> Self {
        let product = |id| Product {
            id,
            name: format!("Product {id}"),
            stock: 10,
            version: 1,
        };
        let products = (1..=100).map(|id| (id, product(id))).collect();
        Self {
            posts: 10_000,
            users: 100_000,
            products: Mutex::new(products),
            passwords: [("ada@example.com", "correct horse battery staple")].into(),
        }
    }
}

impl Shop {
    /// At most `most` posts behind `offset`, and how many there are.
    pub(crate) fn posts(&self, offset: u64, most: usize) -> (Vec<Post>, u64) {
        let ids = offset.saturating_add(1)..=self.posts;
        (ids.take(most).map(post).collect(), self.posts)
    }

    pub(crate) fn product(&self, id: u64) -> Option<Product> {
        self.products().get(&id).cloned()
    }

    /// Changes a product unless `change` refuses; nobody else changes it meanwhile. `None` if there is none.
    pub(crate) fn change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Product) -> Result<(), Problem>,
    ) -> Option<Result<Product, Problem>> {
        let mut products = self.products();
        let product = products.get_mut(&id)?;
        Some(change(product).map(|()| {
            product.version += 1;
            product.clone()
        }))
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = User> + Send + use<> {
        (1..=self.users).map(|id| User {
            id,
            name: format!("User {id}"),
            email: format!("user{id}@example.com"),
        })
    }

    /// Whether these are the credentials of a user.
    pub(crate) fn knows(&self, email: &str, password: &str) -> bool {
        self.passwords.get(email) == Some(&password)
    }

    fn products(&self) -> MutexGuard<'_, BTreeMap<u64, Product>> {
        self.products.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn post(id: u64) -> Post {
    let author = id % 100 + 1;
    Post {
        id,
        title: format!("Post {id}"),
        body: "A sentence of the post. ".repeat(40),
        author: Author {
            id: author,
            name: format!("User {author}"),
        },
    }
}
