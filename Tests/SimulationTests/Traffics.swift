import Domains
import EventModel
import HitsDomain
import MillraceTestKit
import OrdersDomain
import TicketsDomain

extension Traffic {
    static let tickets = Traffic(.tickets)
    static let hits = Traffic(.hits)
    static let orders = Traffic(.orders)

    /// Every domain's that demonstrates itself. In social, who has two followers is fetched, not handed out.
    static let all: [Traffic] = {
        let settings = Settings(environment: [Settings.variable("social.fan-out-limit"): "2"])
        guard let domains = try? Domains.all(settings) else { preconditionFailure("the settings are not understood") }
        return domains.filter { $0.demonstration != nil }.map { Traffic($0) }
    }()
}
