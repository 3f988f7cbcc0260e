package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.PowerLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.pci.SriovLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("an MSI-X table is mapped only where its function answers")
class VectorRegistersTest {
  private static final Sbdf NIC = Sbdf.parse("00:06.0");
  private static final Sbdf PF = Sbdf.parse("00:08.0");
  private static final int POINTER = 0x34;
  private static final int POWER_AT = 0xf0;
  private static final int SRIOV_AT = 0x100;

  private final Map<String, Integer> before = Held.now();
  @TempDir Path root;
  private FakeKernel kernel;
  private FailingCalls calls;

  @BeforeEach
  void machine() {
    kernel = new FakeKernel(root);
    kernel.add(NIC, EndpointSpec.demo(5), "e1000e", false);
    calls = new FailingCalls(kernel.calls());
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private Seen<List<ProgrammedVector>> read() {
    calls.fail(-1, Errno.EIO);
    return VectorRegisters.of(
            new LinuxOptions(calls.calls(), root, Access.CONTAINER, false, f -> List.of()), NIC)
        .read(5);
  }

  private void notMapped(String why) {
    Seen<List<ProgrammedVector>> seen = read();
    assertTrue(seen.isNotVisible(), seen::toString);
    assertTrue(seen.toString().contains(why), seen::toString);
    assertEquals(List.of(), calls.made());
  }

  private void mapped() {
    Seen<List<ProgrammedVector>> seen = read();
    assertEquals(5, seen.thing().map(List::size).orElse(0), seen::toString);
    assertTrue(calls.made().contains("mmap"), calls.made()::toString);
  }

  private Path config(Sbdf f) {
    return root.resolve(HostFiles.device(f) + "/config");
  }

  private byte[] bytes() throws IOException {
    return Files.readAllBytes(config(NIC));
  }

  @Test
  @DisplayName("Memory Space Enable is 0")
  void decodingOff() throws IOException {
    mapped();
    byte[] b = bytes();
    b[(int) ConfigHeaderLayout.COMMAND.offset()] = 4;
    Files.write(config(NIC), b);
    notMapped("memory decoding is off");
  }

  @ParameterizedTest
  @CsvSource({"0, D0", "1, D1", "2, D2", "3, D3hot"})
  @DisplayName("the power state that PMCSR tells")
  void asleep(int state, String name) throws IOException {
    byte[] b = bytes();
    b[POWER_AT] = CapabilityLayout.POWER_MANAGEMENT;
    b[POWER_AT + 1] = b[POINTER];
    b[POWER_AT + (int) PowerLayout.CONTROL.offset()] = (byte) (0x8 | state);
    b[POINTER] = (byte) POWER_AT;
    Files.write(config(NIC), b);
    if (state == 0) {
      mapped();
    } else {
      notMapped("it is in " + name + ",");
    }
  }

  @Test
  @DisplayName("the power state that the kernel tells, which knows D3cold")
  void cold() {
    kernel.write(HostFiles.device(NIC) + "/power_state", "unknown\n");
    mapped();
    kernel.write(HostFiles.device(NIC) + "/power_state", "D3cold\n");
    notMapped("it is in D3cold,");
  }

  @Test
  @DisplayName("pulled out: all ones are no table")
  void gone() throws IOException {
    byte[] b = bytes();
    Arrays.fill(b, (byte) 0xff);
    Files.write(config(NIC), b);
    assertFalse(read().isThere());
    assertEquals(List.of(), calls.made());
  }

  @ParameterizedTest
  @CsvSource({"0x1, VF MSE of 0000:00:08.0 is 0", "0x9, ''"})
  @DisplayName("a VF, whose own Memory Space Enable is always 0: its physical function's VF MSE")
  void virtual(String control, String why) throws IOException {
    byte[] b = bytes();
    b[(int) ConfigHeaderLayout.COMMAND.offset()] = 4;
    Files.write(config(NIC), b);
    byte[] pf = Arrays.copyOf(b, CapabilityLayout.EXTENDED_BYTES);
    pf[SRIOV_AT] = CapabilityLayout.EXTENDED_SRIOV;
    pf[SRIOV_AT + 2] = 1;
    pf[SRIOV_AT + (int) SriovLayout.CONTROL.offset()] = Integer.decode(control).byteValue();
    Files.createDirectories(config(PF).getParent());
    Files.write(config(PF), pf);
    Files.createSymbolicLink(
        root.resolve(HostFiles.device(NIC) + "/physfn"), config(PF).getParent());
    if (why.isEmpty()) {
      mapped();
    } else {
      notMapped(why);
    }
    Files.write(config(PF), Arrays.copyOf(pf, 64));
    notMapped("is not seen");
  }
}
