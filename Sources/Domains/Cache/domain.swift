public import EventModel

/// What the list of all domains takes.
public func domain(_ settings: Settings) throws(Malformed) -> Domain { .cache }
