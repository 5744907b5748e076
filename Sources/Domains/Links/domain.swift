public import EventModel

/// Links, with what a deployment says of them.
public func domain(_ settings: Settings) throws(Malformed) -> Domain { .links(try LinkPolicy(settings)) }
