package dev.doorbell.doctor;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.DeviceNodes;
import dev.doorbell.firmware.DeviceNodes.Node;
import java.util.List;
import java.util.Optional;

/// Whether the device nodes of VFIO are there, and open to the user who looks.
final class AccessChecks implements Checks {
  private static final String CONTAINER = "/dev/vfio/vfio";
  private static final String IOMMUFD = "/dev/iommu";

  @Override
  public void check(Evidence e, Chart chart) {
    DeviceNodes nodes = e.nodes();
    boolean hasVfio =
        e.config().isOn("VFIO_PCI") || e.sysroot().exists("sys/bus/pci/drivers/vfio-pci");
    if (!hasVfio || !nodes.seen()) {
      return;
    }
    Optional<Node> container = nodes.node(CONTAINER);
    Optional<Node> iommufd = nodes.node(IOMMUFD);
    if (container.isEmpty() && iommufd.isEmpty()) {
      chart.warns(
          "access.container",
          "there is neither %s nor %s: VFIO is not loaded, or this container was not given them"
              .formatted(CONTAINER, IOMMUFD),
          Source.file(nodes.file()),
          "modprobe vfio-pci; in a container: --device /dev/vfio/vfio");
    }
    container.ifPresent(n -> open(n, "access.container", chart));
    iommufd.ifPresent(n -> open(n, "access.iommufd", chart));
    for (FunctionDescription f : e.machine().functions()) {
      boolean bound = e.isHeldByVfio(f);
      if (bound && f.recordedGroup().isPresent()) {
        group(f, f.recordedGroup().getAsInt(), nodes, chart.about(List.of(f.sbdf())));
      }
    }
  }

  private static void group(FunctionDescription f, int number, DeviceNodes nodes, Chart chart) {
    Optional<Node> node =
        nodes.node("/dev/vfio/" + number).or(() -> nodes.node("/dev/vfio/noiommu-" + number));
    if (node.isPresent()) {
      open(node.get(), "access.group", chart);
      return;
    }
    chart.warns(
        "access.group",
        "%s is bound to %s, and there is no /dev/vfio/%d for its group"
            .formatted(f.sbdf(), f.driver().orElse("vfio"), number),
        Source.file(nodes.file()),
        "in a container: --device /dev/vfio/%d; else see whether udev runs".formatted(number));
  }

  private static void open(Node node, String id, Chart chart) {
    if (node.open().isEmpty()) {
      return;
    }
    if (node.open().get()) {
      chart.fine(id, node.path() + " can be opened by this user", Source.file(node.path()));
    } else {
      chart.warns(
          id,
          "%s (mode %s) cannot be opened by this user".formatted(node.path(), node.mode()),
          Source.file(node.path()),
          node.path().equals(CONTAINER)
              ? "sudo chmod 0666 %s (it gives no access by itself)".formatted(node.path())
              : "sudo chown $USER %s, or run as root".formatted(node.path()));
    }
  }
}
