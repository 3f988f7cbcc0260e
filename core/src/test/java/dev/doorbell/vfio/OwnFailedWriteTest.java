package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.simple.InjectedFault;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName(
    "design 4: a write of the user's API that fails, each one in turn, leaves everything as before")
class OwnFailedWriteTest {
  private static final AddressRange MAPPED = AddressRange.ofSize(0x10_0000, 0x2000);

  /// Something that is all or nothing.
  record Change(String name, boolean msi, Consumer<Stage> before, Consumer<Stage> change) {
    @Override
    public String toString() {
      return name + (msi ? " MSI" : " MSI-X");
    }
  }

  /// What a change works on: a container with a device, and a group that is in none.
  record Stage(
      OwnLab lab,
      Container container,
      Device device,
      DmaBuffer buffer,
      Group free,
      List<EventCounter> triggers) {
    IrqType type() {
      return device.irqs().get(IrqType.MSI.ordinal()).count() > 0 ? IrqType.MSI : IrqType.MSIX;
    }

    int enable(int n) {
      return device.enable(type(), n, triggers.subList(0, n));
    }
  }

  static Stream<Change> changes() {
    Consumer<Stage> nothing = s -> {};
    Consumer<Stage> enable = s -> s.enable(3);
    return Stream.of(
        new Change("enable", false, nothing, enable),
        new Change("enable", true, nothing, enable),
        new Change("enable again", false, enable.andThen(s -> s.device().disable()), enable),
        new Change("enable again", true, enable.andThen(s -> s.device().disable()), enable),
        new Change("disable", false, enable, s -> s.device().disable()),
        new Change("disable", true, enable, s -> s.device().disable()),
        new Change("add", false, enable, s -> s.device().add(5, s.triggers().get(5))),
        new Change("remove", false, enable, s -> s.device().remove(1)),
        new Change("mask", false, enable, s -> s.device().mask(1, true)),
        new Change("mask", true, enable, s -> s.device().mask(1, true)),
        new Change("attach", false, enable, s -> s.container().attach(s.free())),
        new Change(
            "detach",
            false,
            enable.andThen(s -> s.container().attach(s.free())),
            s -> s.container().detach(s.free())),
        new Change(
            "map",
            false,
            nothing,
            s -> s.container().map(new Iova(0x20_0000), s.buffer(), Protection.READ_ONLY)),
        new Change("unmap", false, nothing, s -> s.container().unmap(MAPPED)));
  }

  private static Stage stage(Change change) {
    OwnLab lab = new OwnLab();
    Sbdf f = change.msi() ? lab.msi() : lab.msix().getFirst();
    Container c = lab.vfio().open(ContainerOptions.USUAL);
    c.attach(lab.vfio().group(f));
    Device d = lab.vfio().group(f).open(f);
    int command = (int) ConfigHeaderLayout.COMMAND.offset();
    d.config().write(command, 6, 2);
    DmaBuffer b = c.allocate(MAPPED.bytes());
    c.map(new Iova(MAPPED.start()), b, Protection.READ_WRITE);
    List<EventCounter> triggers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      triggers.add(new EventCounter());
    }
    Stage s = new Stage(lab, c, d, b, lab.vfio().group(lab.msix().get(1)), triggers);
    change.before().accept(s);
    return s;
  }

  @ParameterizedTest
  @MethodSource("changes")
  void everyWrite(Change change) {
    int failures = 0;
    for (int n = 1; ; n++) {
      Stage s = stage(change);
      List<Object> hardware = s.lab().state();
      List<Object> software = software(s);
      s.lab().hw.failAt(n);
      try {
        change.change().accept(s);
        s.lab().hw.neverFail();
        break;
      } catch (InjectedFault e) {
        failures++;
        assertEquals(List.of(), List.of(e.getSuppressed()), "rollback of write " + n);
      }
      assertEquals(hardware, s.lab().state(), "hardware after write " + n + " failed");
      assertEquals(software, software(s), "software after write " + n + " failed");
      change.change().accept(s);
    }
    assertTrue(failures > 0, "the change writes something");
  }

  private static List<Object> software(Stage s) {
    return List.of(
        s.container().groups(),
        s.container().msiWindow(),
        s.container().iovaRanges(),
        IntStream.range(0, 8).mapToObj(s.device()::trigger).toList(),
        s.free().container(),
        s.lab().its0.vectorsFree(),
        s.lab().its1.vectorsFree());
  }
}
