package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("issue 4.1: VFs are made, and undone on failure")
class VirtualFunctionsTest {
  private static final Sbdf PF = Sbdf.parse("00:08.0");
  private static final String DEVICE = "sys/bus/pci/devices/0000:00:08.0/";

  @TempDir Path root;
  private FakeKernel kernel;
  private Map<String, Integer> held;

  @BeforeEach
  void machine() {
    held = Held.now();
    kernel = new FakeKernel(root);
    kernel.add(PF, EndpointSpec.demo(10), "igb", false);
    kernel.write(DEVICE + "sriov_totalvfs", "4\n");
    kernel.write(DEVICE + "sriov_numvfs", "0\n");
    kernel.write(DEVICE + "sriov_drivers_autoprobe", "1\n");
  }

  private LinuxOptions options(SystemCalls calls) {
    return new LinuxOptions(calls, root, Access.CONTAINER, false, f -> List.of());
  }

  private void asBefore() {
    assertEquals("0\n", kernel.read(DEVICE + "sriov_numvfs"));
    assertEquals("1\n", kernel.read(DEVICE + "sriov_drivers_autoprobe"));
    assertEquals(held, Held.now());
  }

  @Test
  @DisplayName("VFs come without drivers, by number, and go at the end")
  void made() {
    try (VirtualFunctions v = VirtualFunctions.create(options(kernel.calls()), PF, 2)) {
      assertEquals(List.of(Sbdf.parse("00:10.0"), Sbdf.parse("00:10.1")), v.functions());
      assertEquals("2\n", kernel.read(DEVICE + "sriov_numvfs"));
      VirtualFunctions.Refusing again =
          assertThrows(
              VirtualFunctions.Refusing.class,
              () -> VirtualFunctions.create(options(kernel.calls()), PF, 1));
      assertTrue(again.getMessage().contains("has 2 VFs already"), again::getMessage);
    }
    asBefore();
  }

  @Test
  @DisplayName(
      "more than the function has are refused with both figures, before the kernel is asked")
  void tooMany() {
    VirtualFunctions.Refusing e =
        assertThrows(
            VirtualFunctions.Refusing.class,
            () -> VirtualFunctions.create(options(kernel.calls()), PF, 5));
    assertEquals(5, e.refusal().needed().orElseThrow().value());
    assertEquals(4, e.refusal().available().orElseThrow().value());
    kernel.write(DEVICE + "sriov_totalvfs", "0\n");
    assertThrows(
        VirtualFunctions.Refusing.class,
        () -> VirtualFunctions.create(options(kernel.calls()), PF, 1));
    asBefore();
  }

  @Test
  @DisplayName("vectors short on the host (ENOSPC): said in words, and the switch is put back")
  void shortOnHost() {
    kernel.sysfs.numVfsAnswer = -Errno.ENOSPC.number();
    ErrnoException e =
        assertThrows(
            ErrnoException.class, () -> VirtualFunctions.create(options(kernel.calls()), PF, 2));
    assertEquals(Errno.ENOSPC, e.errno());
    assertTrue(e.getMessage().contains("vectors, bus numbers or BAR space"), e::getMessage);
    asBefore();
  }

  @Test
  @DisplayName("whichever call fails, there are no VFs afterwards and the switch is as before")
  void everyFailure() {
    FailingCalls failing = new FailingCalls(kernel.calls());
    for (int i = 0; i < 6; i++) {
      failing.fail(i, Errno.EIO);
      assertThrows(
          ErrnoException.class, () -> VirtualFunctions.create(options(failing.calls()), PF, 2));
      asBefore();
    }
  }
}
