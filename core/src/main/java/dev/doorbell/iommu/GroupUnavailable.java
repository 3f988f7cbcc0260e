package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A group is not where a request supposes it: attached already, attached elsewhere, or not attached.
public final class GroupUnavailable extends IommuException {
  private static final long serialVersionUID = 1L;

  public GroupUnavailable(String attempt, String group, String where, String advice) {
    super(
        new Refusal(
            "GroupUnavailable",
            "%s: %s is %s".formatted(attempt, group, where),
            Optional.empty(),
            Optional.empty(),
            List.of(group),
            Source.rule("a group is in one domain at a time"),
            advice));
  }
}
