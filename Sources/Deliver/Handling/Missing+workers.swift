internal import EventModel
internal import Quarantining

extension HandlerWork {
    var missing: Missing {
        Missing(
            of: lot.worker, "these commands are never decided", log: log, quarantine: quarantine, logger: logger)
    }
}

extension ReactorWork {
    var missing: Missing {
        Missing(of: reaction.name, "nothing follows from them", log: log, quarantine: quarantine, logger: logger)
    }
}
