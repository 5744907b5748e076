internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /ui/commands/{command}`. Its parameters fill fields in.
    func commandPage(_ name: String, _ request: GatewayRequest) throws -> Reply {
        let form = try commandForm(name, request)
        var parameters = request.parameters
        let values = parameters.rest().reduce(into: [String: String]()) { $0[$1.name] = $1.value }
        return .page(commandPage(form, request, id: Self.newID, values: values, nil))
    }

    /// `POST /ui/commands/{command}`.
    func sendForm(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let form = try commandForm(name, request)
        var fields = try await self.form(request)
        let id = try fields.one(CommandForm.id) ?? Self.newID
        var values: [String: String] = [:]
        for field in fields.rest() where values.updateValue(field.value, forKey: field.name) != nil {
            throw Problem(.badRequest, "is given twice; give it once", field: field.name)
        }
        do {
            if !CommandLines.isID(id) { throw Problem(.badRequest, "\(CommandForm.id) \(CommandLines.rule)") }
            // Without its password a name would be taken by nobody who can sign in.
            if let why = Self.needsPassword(form.found.kind.name, of: form.found.domain) {
                throw Problem(.badRequest, why)
            }
            let outcome = try await decide(
                form.found, json: form.json(values), id: id, within: GatewayLimits.wait, request)
            // What is sent next is another command.
            let page = commandPage(form, request, id: Self.newID, values: values, .decided(outcome))
            return .page(page, status: outcome.accepted ? 200 : Problem.Status.conflict.rawValue)
        } catch {
            let problem = problem(error)
            if problem.status == .internalError { throw error }
            // The same form again asks what came of it.
            let page = commandPage(form, request, id: id, values: values, .failed(problem))
            return .page(page, status: problem.status.rawValue)
        }
    }

    private static var newID: String { UUID().uuidString.lowercased() }

    private func commandForm(_ name: String, _ request: GatewayRequest) throws -> CommandForm {
        let found = try named { try catalogue.command(name) }
        try request.require(toSend: found.kind.name, to: found.domain)
        return CommandForm(found)
    }

    private enum Result {
        case decided(Outcome)
        case failed(Problem)
    }

    private func commandPage(
        _ form: CommandForm, _ request: GatewayRequest, id: String, values: [String: String], _ result: Result?
    ) -> String {
        let problem: Problem? = if case .failed(let problem) = result { problem } else { nil }
        return frame(form.found.kind.name, request.access, here: .domain(form.found.domain.name)).page {
            HTML.tag("h1") { form.found.kind.name }
            HTML.tag("p", .class("lead")) { form.found.kind.about }
            switch result {
            case .decided(let outcome): told(outcome)
            case .failed(let problem): told(problem)
            case nil: HTML()
            }
            if let why = Self.needsPassword(form.found.kind.name, of: form.found.domain) {
                HTML.tag("p") { "\(why), or millrace account on a terminal." }
            } else {
                form.html(id: id, values: values, problem: problem)
            }
        }
    }

    private func told(_ outcome: Outcome) -> HTML {
        if !outcome.accepted {
            return HTML.tag("div", .class("result bad"), .set("role", "alert"), .id("result")) {
                HTML.tag("h2") { "Refused" }
                HTML.tag("p", .set("dir", "auto")) { outcome.message }
                HTML.tag("p") { HTML.tag("code") { outcome.reason } }
            }
        }
        return HTML.tag("div", .class("result good"), .set("role", "status"), .id("result")) {
            HTML.tag("h2") { "Accepted" }
            if outcome.events.isEmpty { HTML.tag("p") { "It was so already: there was nothing to do." } }
            HTML.tag("ul") {
                for event in outcome.events {
                    let (topic, partition) = (event.place.topic, event.place.partition)
                    let place = [("partition", "\(partition)"), ("from", "\(event.offset)"), ("limit", "1")]
                    HTML.tag("li") {
                        HTML.tag("a", .href(PagePath.topic(topic).link(place))) {
                            "\(event.type) at \(topic)/\(partition)@\(event.offset)"
                        }
                    }
                }
            }
        }
    }

    private func told(_ problem: Problem) -> HTML {
        HTML.tag("div", .class("result bad"), .set("role", "alert"), .id("result")) {
            HTML.tag("h2") { problem.status.title }
            HTML.tag("p", .set("dir", "auto")) { problem.detail }
            if problem.retryAfter != nil {
                HTML.tag("p") { "Send it again to see what came of it: it is the same command, and is done once." }
            }
        }
    }
}
