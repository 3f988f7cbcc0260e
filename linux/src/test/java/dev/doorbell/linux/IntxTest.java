package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchIrqs;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName(
    "Linux: INTx, masked by the kernel when it signals, let through by hand or by an eventfd")
class IntxTest {
  private static final Sbdf F = Sbdf.parse("00:01.0");
  private static final Sbdf WITHOUT = Sbdf.parse("00:02.0");

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a level signals once until it is let through, and again while it stays asserted")
  void level(Access access, @TempDir Path root) {
    Map<String, Integer> before = Held.now();
    FakeKernel k = new FakeKernel(root);
    k.add(F, EndpointSpec.demo(8), "vfio-pci", false);
    k.add(WITHOUT, EndpointSpec.demo(8), "vfio-pci", false);
    k.giveLine(F);
    LinuxOptions o = new LinuxOptions(k.calls(), k.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL);
        EventFd fired = EventFd.create(k.calls(), "fired");
        EventFd handled = EventFd.create(k.calls(), "handled")) {
      c.attach(vfio.group(F));
      c.attach(vfio.group(WITHOUT));
      try (LinuxDevice d = (LinuxDevice) vfio.group(F).open(F);
          LinuxDevice none = (LinuxDevice) vfio.group(WITHOUT).open(WITHOUT)) {
        assertThrows(NoSuchIrqs.class, () -> IntxResample.of(none, handled));
        ErrnoException off = assertThrows(ErrnoException.class, () -> IntxResample.of(d, handled));
        assertEquals(Errno.EINVAL, off.errno());
        assertEquals(1, d.enable(IrqType.INTX, 1, List.of(fired)));
        k.level(F, true);
        assertEquals(1, fired.take());
        k.level(F, false);
        k.level(F, true);
        assertEquals(0, fired.take(), "the kernel holds it back");
        d.mask(0, false);
        assertEquals(1, fired.take(), "it is still asserted");
        try (IntxResample _ = IntxResample.of(d, handled)) {
          assertEquals(
              Errno.EBUSY,
              assertThrows(ErrnoException.class, () -> IntxResample.of(d, handled)).errno());
          handled.signal();
          assertEquals(1, fired.take());
          k.level(F, false);
          handled.signal();
          assertEquals(0, fired.take());
          k.level(F, true);
          assertEquals(1, fired.take());
        }
        handled.signal();
        assertEquals(0, fired.take(), "it has ended");
        d.mask(0, false);
        d.mask(0, true);
        k.level(F, false);
        assertEquals(1, fired.take());
        try (IntxResample _ = IntxResample.of(d, handled)) {
          d.disable();
        }
      }
    }
    assertEquals(before, Held.now());
  }
}
