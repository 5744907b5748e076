internal import EventModel

/// Why the store says no. A message says what to do.
enum KVRefusal: Refusal, Hashable {
    case unknownKey(key: String)
    case keyExists(key: String, revision: Int64)
    case otherRevision(key: String, expected: Int64, revision: Int64)
    case notANumber(key: String)
    case overflow(key: String)
    case valueTooLong(key: String, bytes: Int)
    case tagFull(tag: String)
    case expiryOver(at: Timestamp)
    case expiryTooFar(at: Timestamp)
    case notDue(key: String, at: Timestamp?)
    case notWhatFollows(key: String)

    var reason: String {
        switch self {
        case .unknownKey: "unknown-key"
        case .keyExists: "key-exists"
        case .otherRevision: "other-revision"
        case .notANumber: "not-a-number"
        case .overflow: "overflow"
        case .valueTooLong: "value-too-long"
        case .tagFull: "tag-full"
        case .expiryOver: "expiry-over"
        case .expiryTooFar: "expiry-too-far"
        case .notDue: "not-due"
        case .notWhatFollows: "not-what-follows"
        }
    }

    var message: String {
        switch self {
        case .unknownKey(let key): "there is no key \(key)"
        case .keyExists(let key, let revision): "the key \(key) is there, at revision \(revision)"
        case .otherRevision(let key, let expected, 0):
            "the key \(key) was expected at revision \(expected), and is not there; read it again"
        case .otherRevision(let key, let expected, let revision):
            "the key \(key) was expected at revision \(expected), and is at \(revision); read it again"
        case .notANumber(let key): "the value of \(key) is no whole number of 64 bits"
        case .overflow(let key): "the number at \(key) would no longer fit into 64 bits"
        case .valueTooLong(let key, let bytes):
            "the value of \(key) would have \(bytes) bytes, at most \(KVLimits.value) are allowed"
        case .tagFull(let tag):
            "the tag \(tag) would have over \(KVLimits.keysOfTag) keys or \(KVLimits.bytesOfTag) bytes; use another tag"
        case .expiryOver(let at): "\(at.rfc3339) is over; give a later moment, or delete the key"
        case .expiryTooFar(let at):
            "\(at.rfc3339) is over \(KVLimits.ttl.upperBound) ms ahead, some 100 years; give an earlier moment, or none"
        case .notDue(let key, nil): "\(key) does not expire"
        case .notDue(let key, let at?): "\(key) expires at \(at.rfc3339), not before"
        case .notWhatFollows(let key): "this is not what follows for \(key); send the command instead"
        }
    }
}
