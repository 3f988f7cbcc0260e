package dev.doorbell.vfio;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// {@link Vfio} over Doorbell's own stack.
final class OwnVfio implements Vfio {
  private final OwnHost host;
  private final Map<IommuGroup, OwnGroup> groups = new LinkedHashMap<>();
  private final List<OwnContainer> containers = new ArrayList<>();
  private int opened;

  OwnVfio(OwnHost host) {
    this.host = host;
    host.functions().forEach(f -> groups.computeIfAbsent(f.group(), g -> new OwnGroup(this, g)));
  }

  OwnHost host() {
    return host;
  }

  @Override
  public List<Group> groups() {
    return List.copyOf(groups.values());
  }

  @Override
  public Group group(Sbdf function) {
    return groups.values().stream()
        .filter(g -> g.functions().contains(function))
        .findFirst()
        .orElseThrow(() ->
            new NoSuchFunction(
                function, host.name(), Source.rule("IOMMU groups of " + host.name())));
  }

  @Override
  public synchronized Container open(ContainerOptions options) {
    OwnContainer c = new OwnContainer(this, "container " + opened++, options);
    containers.add(c);
    return c;
  }

  @Override
  public int deliver() {
    return host.interrupts().collect();
  }

  @Override
  public synchronized void close() {
    if (!containers.isEmpty()) {
      throw new InUse("close " + host.name(), host.name(), containers.getFirst().name());
    }
  }

  synchronized void forget(OwnContainer container) {
    containers.remove(container);
  }

  Optional<HostFunction> function(Sbdf sbdf) {
    return host.functions().stream().filter(f -> f.sbdf().equals(sbdf)).findFirst();
  }

  /// {@return the granule of buffers of a container that has no group yet}
  Granule usualGranule() {
    return host.functions().stream()
        .findFirst()
        .map(f -> OwnGroup.iommu(f.group()).capabilities().granules().getFirst())
        .orElse(Granule.K4);
  }
}
