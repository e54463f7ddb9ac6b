//! The users: names as people have them, addresses that nobody has.

use super::random::Random;

/// A name and how an address spells it.
type Name = (&'static str, &'static str);

const FIRST: &[&Name] = &[
    &("Ada", "ada"),
    &("Agnieszka", "agnieszka"),
    &("Aiko", "aiko"),
    &("Amina", "amina"),
    &("André", "andre"),
    &("Anna", "anna"),
    &("Ari", "ari"),
    &("Åsa", "asa"),
    &("Ben", "ben"),
    &("Bjørn", "bjorn"),
    &("Carla", "carla"),
    &("Chloé", "chloe"),
    &("Çelik", "celik"),
    &("Dana", "dana"),
    &("David", "david"),
    &("Elif", "elif"),
    &("Emma", "emma"),
    &("Erik", "erik"),
    &("Farid", "farid"),
    &("Fatou", "fatou"),
    &("François", "francois"),
    &("Grace", "grace"),
    &("Hannah", "hannah"),
    &("Hugo", "hugo"),
    &("Ines", "ines"),
    &("Ivan", "ivan"),
    &("Jörg", "jorg"),
    &("José", "jose"),
    &("Julia", "julia"),
    &("Kaede", "kaede"),
    &("Karim", "karim"),
    &("Kofi", "kofi"),
    &("Lars", "lars"),
    &("Leila", "leila"),
    &("Łukasz", "lukasz"),
    &("Lucía", "lucia"),
    &("Maja", "maja"),
    &("Marek", "marek"),
    &("Mei", "mei"),
    &("Miguel", "miguel"),
    &("Nadia", "nadia"),
    &("Noor", "noor"),
    &("Oksana", "oksana"),
    &("Olga", "olga"),
    &("Omar", "omar"),
    &("Paul", "paul"),
    &("Priya", "priya"),
    &("Quentin", "quentin"),
    &("Rosa", "rosa"),
    &("Sanjay", "sanjay"),
    &("Sofia", "sofia"),
    &("Søren", "soren"),
    &("Tariq", "tariq"),
    &("Thandi", "thandi"),
    &("Tomáš", "tomas"),
    &("Uma", "uma"),
    &("Vera", "vera"),
    &("Wanda", "wanda"),
    &("Yusuf", "yusuf"),
    &("Zoë", "zoe"),
];

const LAST: &[&Name] = &[
    &("Adeyemi", "adeyemi"),
    &("Ahmadi", "ahmadi"),
    &("Andersson", "andersson"),
    &("Bauer", "bauer"),
    &("Beaumont", "beaumont"),
    &("Bianchi", "bianchi"),
    &("Brennan", "brennan"),
    &("Castillo", "castillo"),
    &("Dąbrowski", "dabrowski"),
    &("Demir", "demir"),
    &("Dvořák", "dvorak"),
    &("Eriksen", "eriksen"),
    &("Fernández", "fernandez"),
    &("Fischer", "fischer"),
    &("García", "garcia"),
    &("Grünwald", "grunwald"),
    &("Haddad", "haddad"),
    &("Hughes", "hughes"),
    &("Ishikawa", "ishikawa"),
    &("Ivanova", "ivanova"),
    &("Jansen", "jansen"),
    &("Kaya", "kaya"),
    &("Kowalska", "kowalska"),
    &("Laurent", "laurent"),
    &("Lindqvist", "lindqvist"),
    &("Marković", "markovic"),
    &("Mbeki", "mbeki"),
    &("Mendes", "mendes"),
    &("Müller", "muller"),
    &("Nakamura", "nakamura"),
    &("Nguyen", "nguyen"),
    &("Novák", "novak"),
    &("O'Connor", "oconnor"),
    &("Okafor", "okafor"),
    &("Olsen", "olsen"),
    &("Patel", "patel"),
    &("Pereira", "pereira"),
    &("Petrov", "petrov"),
    &("Quispe", "quispe"),
    &("Rossi", "rossi"),
    &("Sato", "sato"),
    &("Schäfer", "schafer"),
    &("Sharma", "sharma"),
    &("Silva", "silva"),
    &("Sørensen", "sorensen"),
    &("Tanaka", "tanaka"),
    &("Vasquez", "vasquez"),
    &("Weber", "weber"),
    &("Wójcik", "wojcik"),
    &("Yılmaz", "yilmaz"),
];

/// One user without their id and dates.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
}

/// The user with this id; the id keeps the address unique.
pub(super) fn person(id: u32, random: &mut Random) -> Person {
    let (first, first_spelled) = random.pick(FIRST);
    let (last, last_spelled) = random.pick(LAST);
    Person {
        name: format!("{first} {last}"),
        email: format!("{first_spelled}.{last_spelled}.{id}@example.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain_ascii() {
        for (name, spelled) in FIRST.iter().chain(LAST) {
            assert!(
                spelled.bytes().all(|byte| byte.is_ascii_lowercase()),
                "{name}: {spelled}"
            );
        }
    }
}
