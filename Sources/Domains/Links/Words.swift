/// Words that codes and aliases may not have, or be.
enum Words {
    /// Paths and names that somebody could take for this place's own.
    static let reserved: Set<String> = [
        "about", "abuse", "account", "accounts", "admin", "administrator", "api", "assets", "auth", "billing", "blog",
        "commands", "contact", "dashboard", "docs", "events", "favicon", "healthz", "help", "home", "imprint", "index",
        "info", "legal", "link", "links", "login", "logout", "mail", "metrics", "news", "null", "official", "openapi",
        "password", "privacy", "qr", "quarantine", "readyz", "register", "robots", "root", "search", "security",
        "session", "settings", "shop", "signin", "signup", "sitemap", "static", "stats", "status", "support", "system",
        "terms", "topics", "ui", "undefined", "user", "users", "verify", "views", "webmaster", "well-known", "workers",
        "www",
    ]
    private static let offensive = [
        "anal", "anus", "arse", "ass", "bitch", "boob", "cock", "coon", "cum", "cunt", "damn", "dick", "dyke", "fag",
        "fuck", "gook", "hitler", "jizz", "kike", "nazi", "nigg", "penis", "piss", "porn", "pussy", "rape", "sex",
        "shit",
        "slut", "spic", "tits", "twat", "vagina", "wank", "whore",
    ]
    /// What no name has a part of by chance.
    private static let severe = ["cunt", "fuck", "hitler", "nigg", "whore"].map { skeleton($0) }
    /// As `skeleton` has them.
    private static let offensiveSkeletons = offensive.map { Array(skeleton($0).utf8) }
    private static let offensiveWords = Set(offensive.map { skeleton($0) })
    private static let reservedSkeletons = Set(reserved.map(skeleton))

    /// Whether a name has a word that offends, as a word of its own: a class and a document have one by chance.
    static func offends(alias: String) -> Bool {
        let whole = skeleton(alias)
        if severe.contains(where: { whole.contains($0) }) || offensiveWords.contains(whole) { return true }
        return alias.split { $0 == "-" || $0 == "_" }.contains { piece in
            let isNumber = piece.allSatisfy(\.isNumber)
            return !isNumber && offensiveWords.contains(skeleton(String(piece)))
        }
    }

    /// Whether a drawn code has a word that offends anywhere, also where letters are told by digits. There are others to draw.
    static func offends(_ text: String) -> Bool {
        let bytes = Array(skeleton(text).utf8)
        return offensiveSkeletons.contains { word in
            bytes.count >= word.count
                && (0...(bytes.count - word.count)).contains { bytes[$0..<$0 + word.count].elementsEqual(word) }
        }
    }

    /// Whether it looks like a name of this place's own.
    static func isReserved(_ alias: String) -> Bool { reservedSkeletons.contains(skeleton(alias)) }

    /// What is left of a name for the eye: those that look alike have one (after Unicode Technical Standard 39, section 4, for what
    /// an alias may have).
    static func skeleton(_ name: String) -> String {
        var out: [UInt8] = []
        for byte in name.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: "0"): out.append(UInt8(ascii: "o"))
            case UInt8(ascii: "1"), UInt8(ascii: "i"), UInt8(ascii: "|"): out.append(UInt8(ascii: "l"))
            case UInt8(ascii: "3"): out.append(UInt8(ascii: "e"))
            case UInt8(ascii: "4"): out.append(UInt8(ascii: "a"))
            case UInt8(ascii: "5"): out.append(UInt8(ascii: "s"))
            case UInt8(ascii: "-"), UInt8(ascii: "_"): break
            case UInt8(ascii: "n") where out.last == UInt8(ascii: "r"): out[out.count - 1] = UInt8(ascii: "m")
            case UInt8(ascii: "v") where out.last == UInt8(ascii: "v"): out[out.count - 1] = UInt8(ascii: "w")
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
