//! The posts: titles and bodies put together from a few sentences.

use super::random::Random;

const OPENINGS: &[&str] = &[
    "Notes on",
    "A year with",
    "What I learned about",
    "In praise of",
    "The trouble with",
    "Five questions about",
    "Against",
    "How we chose",
    "A short history of",
    "Living with",
    "Second thoughts on",
    "The case for",
    "Letters about",
    "Mistakes I made with",
    "Looking after",
];

const TOPICS: &[&str] = &[
    "sourdough",
    "secondhand bicycles",
    "café mornings",
    "night trains",
    "balcony tomatoes",
    "fountain pens",
    "cast iron",
    "small gardens",
    "winter swimming",
    "old radios",
    "paper maps",
    "wool jumpers",
    "crème brûlée",
    "board games",
    "house plants",
    "film cameras",
    "smørrebrød",
    "tide tables",
    "garden sheds",
    "jalapeño jam",
    "wooden spoons",
    "mountain huts",
    "shared kitchens",
    "pour-over coffee",
    "piñatas",
    "slow mornings",
    "rain barrels",
];

const SENTENCES: &[&str] = &[
    "It took three attempts before anything worked, and the third was an accident.",
    "My neighbour says it cannot be done, which is usually a good sign.",
    "The first week was the hardest; after that it became a habit.",
    "I keep a list on the fridge, and the list keeps growing.",
    "Nobody warned me about the smell.",
    "If you only remember one thing, remember to label the jars.",
    "We measured everything twice and still cut it too short.",
    "There is a shop in Málaga that sells exactly the right size.",
    "“Start small,” my grandmother used to say, and she never did.",
    "The manual is wrong on page 12, but the drawing beside it is right.",
    "By March we had more than we could give away.",
    "It costs about as much as a good lunch and lasts ten years.",
    "Some of it is skill; most of it is waiting.",
    "I would do it again, though not on a Sunday.",
    "The children lost interest at once, and so did the cat.",
    "You need less equipment than the videos suggest – a knife and patience will do.",
    "Ask three people and you will get four answers.",
    "The old way turned out to be the quick way.",
    "We still argue about the colour.",
    "Next year I want to try it without the timer.",
    "It broke on the coldest day of the year, naturally.",
    "A friend from Łódź sent the missing part in an envelope.",
    "At 4 °C nothing happens at all; at 20 °C everything happens at once.",
    "Write down what you did: you will not remember.",
];

/// One post without its keys and date.
pub(super) struct Post {
    pub(super) title: String,
    pub(super) body: String,
}

pub(super) fn post(random: &mut Random) -> Post {
    let title = format!("{} {}", random.pick(OPENINGS), random.pick(TOPICS));
    let mut body = String::with_capacity(320);
    for number in 0..2 + random.below(3) {
        if number > 0 {
            body.push(' ');
        }
        body.push_str(random.pick(SENTENCES));
    }
    Post { title, body }
}
