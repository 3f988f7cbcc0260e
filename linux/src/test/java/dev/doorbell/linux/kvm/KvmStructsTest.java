package dev.doorbell.linux.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.linux.HeaderComparison;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("KVM's structures and request numbers against the kernel's own headers")
class KvmStructsTest {
  @Test
  @DisplayName("memory, routes, irqfd, ioeventfd, messages, devices, registers by number")
  void common(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, KvmLayout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("the page that a processor shares: exits and their data")
  void run(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, KvmRunLayout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("x86: registers, segments, the local APIC")
  void x86(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, "x86", KvmX86Layout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("Arm: the kind of a processor")
  void arm(@TempDir Path folder) throws IOException, InterruptedException {
    HeaderComparison.of(folder, "arm64", KvmArmLayout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("Arm: numbers as a kernel under QEMU took them")
  void armNumbers() {
    // From a run on arm64: VCPU_INIT, PREFERRED_TARGET, and the program counter's number.
    assertEquals(0x4020aeae, KvmArmLayout.KVM_ARM_VCPU_INIT.number());
    assertEquals(0x8020aeaf, KvmArmLayout.KVM_ARM_PREFERRED_TARGET.number());
    assertEquals(0x6030_0000_0010_0040L, KvmArmLayout.programCounter());
    assertEquals(0x6030_0000_0010_003cL, KvmArmLayout.general(30));
    assertEquals(0x4010aeac, KvmLayout.KVM_SET_ONE_REG.number());
    assertEquals(0xc00caee0, KvmLayout.KVM_CREATE_DEVICE.number());
    assertEquals(0x4018aee1, KvmLayout.KVM_SET_DEVICE_ATTR.number());
  }
}
