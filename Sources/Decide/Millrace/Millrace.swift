/// What the author of a domain imports: the model of commands, events, deciders, projections and queries, by one line.
///
///     import Millrace
@_exported public import EventModel
