internal import EventModel

/// Why links says no. A message says what to do.
enum LinksRefusal: Refusal, Hashable {
    case unknownLink(code: String)
    case notOwner(code: String)
    case aliasTaken(alias: String)
    case aliasLooksTaken(alias: String, like: String)
    case otherTerms(url: String, code: String)
    case linkDeleted(code: String)
    case linkExpired(code: String)
    case notDue(code: String, until: Timestamp?)
    case untilOver(until: Timestamp)
    case untilBeforeFrom(from: Timestamp, until: Timestamp)
    case tooLate(code: String, until: Timestamp)
    case bucketFull
    case notWhatFollows(code: String)

    var reason: String {
        switch self {
        case .unknownLink: "unknown-link"
        case .notOwner: "not-owner"
        case .aliasTaken: "alias-taken"
        case .aliasLooksTaken: "alias-looks-taken"
        case .otherTerms: "other-terms"
        case .linkDeleted: "link-deleted"
        case .linkExpired: "link-expired"
        case .notDue: "not-due"
        case .untilOver: "until-over"
        case .untilBeforeFrom: "until-before-from"
        case .tooLate: "too-late"
        case .bucketFull: "bucket-full"
        case .notWhatFollows: "not-what-follows"
        }
    }

    var message: String {
        switch self {
        case .unknownLink(let code): "there is no link \(code)"
        case .notOwner(let code): "\(code) is another's link; only its owner may change it"
        case .aliasTaken(let alias): "\(alias) is or was a link already, and codes are given away once; take another"
        case .aliasLooksTaken(let alias, let like): "\(alias) looks like \(like), which is taken; take another"
        case .otherTerms(let url, let code):
            "\(url) has the code \(code), of which something else is said; say it by ChangeLink, or ask for a fresh code"
        case .linkDeleted(let code): "\(code) is deleted; restore it first"
        case .linkExpired(let code): "\(code) has expired; restore it first"
        case .notDue(let code, nil): "\(code) has no end"
        case .notDue(let code, let until?): "\(code) expires at \(until.rfc3339), not before"
        case .untilOver(let until): "activeUntil \(until.rfc3339) is over; give a later moment, or none"
        case .untilBeforeFrom(let from, let until):
            "activeUntil \(until.rfc3339) is not after activeFrom, \(from.rfc3339); give a later moment, or none"
        case .tooLate(let code, let until): "\(code) could be restored until \(until.rfc3339); make a new link"
        case .bucketFull:
            "over \(LinksLimits.ofBucket) links share a place in the space of codes with this one; take an alias"
        case .notWhatFollows(let code): "this is not what follows for \(code); send the command instead"
        }
    }
}
