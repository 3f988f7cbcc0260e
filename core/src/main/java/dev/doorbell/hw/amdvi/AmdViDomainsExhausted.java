package dev.doorbell.hw.amdvi;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Every DomainID is taken by an address space.
public final class AmdViDomainsExhausted extends AmdViException {
  private static final long serialVersionUID = 1L;

  AmdViDomainsExhausted(int all) {
    super(
        new Refusal(
            "AmdViDomainsExhausted",
            "an address space needs one of the %d DomainIDs and all are taken".formatted(all),
            Optional.of(new Figure(1, "DomainIDs")),
            Optional.of(new Figure(0, "DomainIDs")),
            List.of("DomainIDs"),
            Source.rule("48882 2.2.2.1: DomainID has 16 bits"),
            "close a domain first"));
  }
}
