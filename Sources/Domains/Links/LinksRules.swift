internal import EventModel
internal import Secrets
internal import SwiftProtobuf

extension Links {
    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .shortenURL(let c):
            try Check.identifier(c.owner, "owner")
            _ = try WebURL(c.url)
            try check(c.terms)
        case .claimAlias(let c):
            try Check.identifier(c.owner, "owner")
            try check(alias: c.alias, "alias")
            _ = try WebURL(c.url)
            try check(c.terms)
        case .changeLink(let c):
            try check(code: c.code, of: c.owner)
            try check(c.terms)
        case .deleteLink(let c): try check(code: c.code, of: c.owner)
        case .expireLink(let c): try Check.identifier(c.code, "code")
        case .restoreLink(let c):
            try check(code: c.code, of: c.owner)
            if c.hasActiveUntil { try check(moment: c.activeUntil, "activeUntil") }
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .linkCreated(let e):
            try check(code: e.code, of: e.owner)
            if CodeSpace.bucket(of: e.code) == nil { try check(alias: e.code, "code") }
            let url = try WebURL(e.url).text
            if url != e.url { throw Malformed("url", "is not as browsers write it: \(url)") }
            try check(e.terms)
        case .linkChanged(let e):
            try check(code: e.code, of: e.owner)
            try check(e.terms)
        case .linkExpired(let e): try check(code: e.code, of: e.owner)
        case .linkDeleted(let e): try check(code: e.code, of: e.owner)
        case .linkRestored(let e):
            try check(code: e.code, of: e.owner)
            try check(e.terms)
        }
    }

    private static func check(code: String, of owner: String) throws(Malformed) {
        try Check.identifier(code, "code")
        try Check.identifier(owner, "owner")
    }

    private static func check(alias: String, _ field: String) throws(Malformed) {
        if alias.isEmpty { throw Malformed(field, "is missing") }
        let isPlain = alias.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        if !isPlain || !LinksLimits.alias.contains(alias.utf8.count) {
            throw Malformed(
                field,
                "must be \(LinksLimits.alias.lowerBound) to \(LinksLimits.alias.upperBound) small letters of ASCII, digits, - and _, so "
                    + "that no two look alike")
        }
        if Words.skeleton(alias).isEmpty { throw Malformed(field, "has neither a letter nor a digit") }
        if Words.isReserved(alias) {
            throw Malformed(field, "is or looks like a name of this place's own; take another")
        }
        if Words.offends(alias: alias) { throw Malformed(field, "has a word that offends; take another") }
    }

    private static func check(_ terms: LinksTerms) throws(Malformed) {
        try Check.optionalText(terms.title, "terms.title", atMost: LinksLimits.title)
        if terms.tags.count > LinksLimits.tags {
            throw Malformed("terms.tags", "are \(terms.tags.count), at most \(LinksLimits.tags) are allowed")
        }
        for (number, tag) in terms.tags.enumerated() {
            try Check.text(tag, "terms.tags[\(number)]", atMost: LinksLimits.tag)
            if terms.tags[..<number].contains(where: { Bytes($0) == Bytes(tag) }) {
                throw Malformed("terms.tags[\(number)]", "is there twice")
            }
        }
        try Check.optionalText(terms.passwordHash, "terms.passwordHash", atMost: LinksLimits.hash)
        if !terms.passwordHash.isEmpty, !SlowHash.isOne(terms.passwordHash) {
            throw Malformed(
                "terms.passwordHash", "is no hash by scrypt, or costs too much; POST /links makes one of a password")
        }
        try Check.range(terms.clickLimit, "terms.clickLimit", 0...Int64.max)
        if terms.hasActiveFrom { try check(moment: terms.activeFrom, "terms.activeFrom") }
        if terms.hasActiveUntil { try check(moment: terms.activeUntil, "terms.activeUntil") }
        if terms.hasActiveFrom, terms.hasActiveUntil, Timestamp(terms.activeFrom) >= Timestamp(terms.activeUntil) {
            throw Malformed("terms.activeUntil", "is not after activeFrom")
        }
    }

    private static func check(moment: Google_Protobuf_Timestamp, _ field: String) throws(Malformed) {
        try Check.moment(moment, field)
        if moment.nanos % 1_000_000 != 0 { throw Malformed(field, "has a fraction of a millisecond") }
    }
}
