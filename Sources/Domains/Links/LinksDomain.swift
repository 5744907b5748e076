public import EventModel

extension Domain {
    /// Links, as a deployment that sets nothing has them.
    public static let links = links(LinkPolicy(countries: Countries()))

    static func links(_ policy: LinkPolicy) -> Domain {
        Domain("links", "Short links: made, followed, counted.", descriptor: linksDescriptor)
            .deciding(Links.self, key: "bucket of codes, or alias")
            .observing(Clicks.self, topic: "links.clicks", key: "code#salt")
            .naming(
                actor: "owner", of: "ShortenUrl", "ClaimAlias", "ChangeLink", "DeleteLink", "RestoreLink",
                "LinkCreated",
                "LinkChanged", "LinkDeleted", "LinkRestored"
            )
            .projecting(LinkTable.self)
            .projecting(ClickCounts.self)
            .answering(LinkQueries.resolve, LinkQueries.of, LinkQueries.ofURL)
            .answering(LinkQueries.total, LinkQueries.clicks, LinkQueries.sources, LinkQueries.visitors)
            .routing(LinkRoutes(policy).all)
            .showing(DomainPage("A link and its clicks", files: PageFiles.all))
            .importing(.links, .clicks)
            .demonstrating(.links)
            .keeping(LinksInvariants.codesAreGivenOnce, LinksInvariants.clicksCountTheLog)
    }
}
