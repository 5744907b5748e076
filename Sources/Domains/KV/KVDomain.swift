public import EventModel

extension Domain {
    /// Keys and their values.
    public static let kv = Domain(
        "kv", "Keys and their values: put, compared, expired, read as they were.", descriptor: kvDescriptor
    )
    .deciding(KeyValues.self, key: "tag, or key without one")
    .deriving(KVState.self, topic: "state", key: "key", cleanup: .compact, owner: "newest")
    .reacting(remembering: NewestStates())
    .projecting(KeyTable.self)
    .answering(KVQueries.get, KVQueries.atVersion, KVQueries.history, KVQueries.scan)
    .demonstrating(.kv)
    .keeping(KVInvariants.revisionsFollow, KVInvariants.whatGoesWasThere, KVInvariants.viewHasTheLog)
}
