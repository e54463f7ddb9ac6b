//! The products.

use super::random::Random;

const MATERIALS: &[&str] = &[
    "Oak",
    "Copper",
    "Linen",
    "Enamel",
    "Walnut",
    "Brass",
    "Wool",
    "Stoneware",
    "Cork",
    "Bamboo",
    "Glass",
    "Leather",
    "Felt",
    "Steel",
    "Ash",
    "Cotton",
    "Marble",
    "Rattan",
    "Slate",
    "Beech",
];

const THINGS: &[&str] = &[
    "Kettle",
    "Tray",
    "Apron",
    "Lamp",
    "Stool",
    "Bowl",
    "Carafe",
    "Clock",
    "Basket",
    "Blanket",
    "Café Cup",
    "Breadboard",
    "Candlestick",
    "Crêpe Pan",
    "Doormat",
    "Hook",
    "Jug",
    "Mirror",
    "Notebook",
    "Pen Tray",
    "Pepper Mill",
    "Planter",
    "Sieve",
    "Teapot",
    "Vase",
];

const PROMISES: &[&str] = &[
    "Made in small batches and meant to be repaired.",
    "Heavier than it looks, in a good way.",
    "Finished by hand with linseed oil.",
    "Fits the drawers of most kitchens.",
    "Dishwasher safe, though it prefers not to be.",
    "Each one differs a little from the next.",
    "Designed in København, made in Porto.",
    "Comes in a box you will want to keep.",
    "Gets better with use.",
    "Ten-year guarantee, no questions asked.",
];

/// One product without its id and date.
pub(super) struct Product {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) price_cents: u32,
    pub(super) stock: u32,
}

pub(super) fn product(random: &mut Random) -> Product {
    let name = format!(
        "{} {} No. {}",
        random.pick(MATERIALS),
        random.pick(THINGS),
        1 + random.below(40)
    );
    let description = format!("{} {}", random.pick(PROMISES), random.pick(PROMISES));
    // Prices as shops have them: 4.90 to 203.90.
    let price_cents = 490 + 100 * random.below(200);
    // One in ten is sold out.
    let stock = if random.below(10) == 0 {
        0
    } else {
        1 + random.below(250)
    };
    Product {
        name,
        description,
        price_cents,
        stock,
    }
}
