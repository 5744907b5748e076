public import EventModel

/// Keys and their values.
public func domain(_ settings: Settings) throws(Malformed) -> Domain { .kv }
