package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Refusal;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.FakeKernel;
import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.VirtualConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "the guest's MSI-X table: each vector that it enables and does not mask leads to its message")
class GuestVectorsTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final long DOORBELL = 0x809_0040L;
  private static final int FIRST_GSI = 64;
  private static final int DEVICE_ID = 8;

  private final NotingGuest guest = new NotingGuest();

  private static GuestMsi message(int data) {
    return GuestMsi.of(DOORBELL, data).from(DEVICE_ID);
  }

  /// What a test does with a function as the guest has it.
  private interface Body {
    void run(LinuxVfio vfio, Device d, MsixTable table, GuestVectors vectors);
  }

  private void with(Path root, Body body) {
    with(root, Integer.MAX_VALUE, body);
  }

  /// @param left vectors that the host has
  private void with(Path root, int left, Body body) {
    Map<String, Integer> before = Held.now();
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.limitVectors(F, left);
    LinuxOptions options =
        new LinuxOptions(k.calls(), k.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        PciFunction real = PciFunction.of(F, d.config(), F.toString());
        VirtualConfig config = VirtualConfig.of(real, d.config(), List.of(), d::reset);
        MsixCapability m = PciFunction.of(F, config, "guest").msix().thing().orElseThrow();
        RegisterBus table = d.region(RegionType.ofBar(m.tableBar()));
        MsixTable t = m.table(table, d.region(RegionType.ofBar(m.pbaBar())));
        GuestVectors.Kind kind =
            new GuestVectors.Kind(IrqType.MSIX, t, m::isEnabled, m::isFunctionMasked, m::vectors);
        try (GuestVectors vectors =
            new GuestVectors(d, guest, DEVICE_ID, FIRST_GSI, List.of(kind))) {
          body.run(vfio, d, t, vectors);
        }
        assertEquals(0, guest.ways, "every way is closed");
      }
    }
    assertEquals(before, Held.now());
  }

  /// As Linux does: enabled with all held back, entries written and let through, then the whole.
  private static void program(MsixTable t, int count) {
    t.enable(count);
    t.functionMask(true);
    for (int v = 0; v < count; v++) {
      t.write(v, DOORBELL, v);
      t.mask(v, false);
    }
    t.functionMask(false);
  }

  private static void raise(LinuxVfio vfio, Device d, int vector) {
    d.region(RegionType.BAR0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
    vfio.deliver();
  }

  @Test
  @DisplayName("four vectors are led with one table of routes; each raises its own message")
  void leads(@TempDir Path root) {
    with(
        root,
        (vfio, d, t, vectors) -> {
          program(t, 4);
          vectors.update();
          assertEquals(1, guest.commits);
          assertEquals(4, vectors.led());
          for (int v = 0; v < 4; v++) {
            assertEquals(message(v), guest.routes.get(FIRST_GSI + v));
            raise(vfio, d, v);
            assertEquals(1, guest.take(message(v)));
          }
          vectors.update();
          assertEquals(1, guest.commits, "nothing changed");
        });
  }

  @Test
  @DisplayName("another message for a vector changes its route and leaves the others")
  void retargets(@TempDir Path root) {
    with(
        root,
        (vfio, d, t, vectors) -> {
          program(t, 2);
          vectors.update();
          t.write(1, DOORBELL, 0x77);
          vectors.update();
          assertEquals(2, guest.commits);
          raise(vfio, d, 1);
          assertEquals(1, guest.take(message(0x77)));
          raise(vfio, d, 0);
          assertEquals(1, guest.take(message(0)));
        });
  }

  @Test
  @DisplayName(
      "what comes while the guest holds a vector back is signalled once it lets it through")
  void pends(@TempDir Path root) {
    with(
        root,
        (vfio, d, t, vectors) -> {
          program(t, 2);
          vectors.update();
          t.mask(1, true);
          vectors.update();
          assertEquals(1, vectors.led());
          raise(vfio, d, 1);
          raise(vfio, d, 1);
          assertEquals(0, guest.take(message(1)));
          t.mask(1, false);
          vectors.update();
          assertEquals(List.of(message(1)), guest.signalled);
          raise(vfio, d, 1);
          assertEquals(1, guest.take(message(1)));
        });
  }

  @Test
  @DisplayName("a guest that switches MSI-X off has no vectors, and gets them again")
  void offAndOn(@TempDir Path root) {
    with(
        root,
        (vfio, d, t, vectors) -> {
          vectors.update();
          assertEquals(0, vectors.led());
          program(t, 3);
          vectors.update();
          t.disable();
          vectors.update();
          assertEquals(0, vectors.led());
          assertEquals(0, guest.ways);
          program(t, 3);
          vectors.update();
          raise(vfio, d, 2);
          assertEquals(1, guest.take(message(2)));
        });
  }

  @Test
  @DisplayName(
      "a host with fewer vectors than the function: those are led, and a guest that uses another one is told both figures")
  void hostHasFewer(@TempDir Path root) {
    with(
        root,
        3,
        (vfio, d, t, vectors) -> {
          program(t, 3);
          vectors.update();
          assertEquals(3, vectors.led());
          raise(vfio, d, 2);
          assertEquals(1, guest.take(message(2)));
          t.write(4, DOORBELL, 4);
          t.mask(4, false);
          Refusal told = assertThrows(TooFewGuestVectors.class, vectors::update).refusal();
          assertEquals(5, told.needed().orElseThrow().value());
          assertEquals(3, told.available().orElseThrow().value());
        });
  }
}
