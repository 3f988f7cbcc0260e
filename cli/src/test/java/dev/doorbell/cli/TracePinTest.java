package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// `trace ioapic:ID --vector PIN`, `trace aplic:ID --vector SOURCE` and `trace hpet:ID --vector TIMER`.
class TracePinTest {
  private static final String AMD = "lab-captures/x86-amdvi";

  private static Run trace(String... more) {
    return Run.on(Shared.require(AMD).toString(), "trace", more);
  }

  @Test
  @DisplayName(
      "a pin's way: entry, source-id of firmware, DTE, IRTE, processor; as text and as the document of trace")
  void followed() {
    Run run = trace("ioapic:0", "--vector", "4");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().startsWith("ioapic:0 pin 4\n"), run.out());
    assertTrue(run.out().contains("source-id 0xa0 at amd-vi@0xfed80000"), run.out());
    assertTrue(run.out().endsWith("would be delivered as INTID 32 for CPU 0\n"), run.out());
    Run json = trace("ioapic:0", "--vector", "4", "--json");
    assertEquals(0, json.status(), json.err());
    assertTrue(json.out().contains("\"doorbell\" : \"0xfee00000\""), json.out());
  }

  @Test
  @DisplayName("what is not there ends with status 2, a table that is not in the capture with 1")
  void refused() {
    Run unknown = trace("ioapic:9");
    assertEquals(2, unknown.status());
    assertTrue(unknown.err().contains("no I/O APIC 9; it has [0]"), unknown.err());
    assertTrue(unknown.err().contains("inspect --root"), unknown.err());
    Run pin = trace("ioapic:0", "--vector", "24");
    assertEquals(2, pin.status());
    assertTrue(pin.err().contains("24 pins and no pin 24"), pin.err());
    assertEquals(2, trace("ioapic:0", "--max", "4").status());
    Run arm = Run.on(Run.ITS, "trace", "ioapic:0");
    assertEquals(2, arm.status());
    assertTrue(arm.err().contains("no I/O APIC"), arm.err());
    Run tables = trace("ioapic:0", "--tables", Shared.require(AMD).resolve("oracle").toString());
    assertEquals(1, tables.status());
    assertTrue(tables.out().contains("cannot see IOREDTBL0"), tables.out());
  }

  @Test
  @DisplayName(
      "a wire's way: source and target, the hart's interrupt file, identity; inspect tells which there are")
  void source() {
    String root = Shared.require("lab-captures/riscv64-iommu-native").toString();
    Run run = Run.on(root, "trace", "aplic:0", "--vector", "10");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().startsWith("aplic:0 source 10\n"), run.out());
    assertTrue(run.out().contains("SM Level1"), run.out());
    assertTrue(run.out().contains("to 0x28000000"), run.out());
    assertTrue(run.out().endsWith("would be delivered as INTID 1 for CPU 0\n"), run.out());
    Run json = Run.on(root, "trace", "aplic:0", "--vector", "96", "--json");
    assertEquals(0, json.status(), json.err());
    assertTrue(json.out().contains("\"doorbell\" : \"0x28000000\""), json.out());
    Run none = Run.on(root, "trace", "aplic:0");
    assertEquals(2, none.status());
    assertTrue(none.err().contains("sources 1 to 96 and no source 0"), none.err());
    assertEquals(2, Run.on(root, "trace", "aplic:0", "--vector", "97").status());
    Run unknown = Run.on(root, "trace", "aplic:1", "--vector", "1");
    assertEquals(2, unknown.status());
    assertTrue(unknown.err().contains("no APLIC 1; it has [0]"), unknown.err());
    Run plic =
        Run.on(Shared.require("captures/riscv64/hifive-unmatched").toString(), "trace", "aplic:0");
    assertEquals(2, plic.status());
    assertTrue(plic.err().contains("firmware describes no APLIC"), plic.err());
    String oracle =
        Shared.require("lab-captures/riscv64-iommu-native").resolve("oracle").toString();
    Run tables = Run.on(root, "trace", "aplic:0", "--vector", "10", "--tables", oracle);
    assertEquals(1, tables.status());
    assertTrue(tables.out().contains("cannot see domaincfg"), tables.out());
    Run inspect = Run.on(root, "inspect", "--json");
    assertTrue(inspect.out().contains("\"base\" : \"0xd000000\""), inspect.out());
    assertTrue(inspect.out().contains("\"sources\" : 96"), inspect.out());
    assertTrue(Run.on(root, "inspect").out().contains("APLICs"));
  }

  @Test
  @DisplayName(
      "a timer's way: message, source-id of firmware, DTE, IRTE, processor; and what is not there")
  void timer() {
    String root = Shared.require("captures/x86/amd-x370-killer").toString();
    Run run = Run.on(root, "trace", "hpet:0", "--vector", "2");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().startsWith("hpet:0 timer 2\n"), run.out());
    assertTrue(run.out().contains("firmware names it for the HPET"), run.out());
    assertTrue(run.out().contains("would be delivered as INTID 32 for CPU 0\n"), run.out());
    Run beyond = Run.on(root, "trace", "hpet:0", "--vector", "3");
    assertEquals(2, beyond.status());
    assertTrue(beyond.err().contains("3 timers and no timer 3"), beyond.err());
    Run untold = trace("hpet:0");
    assertEquals(1, untold.status());
    assertTrue(untold.out().contains("does not tell by whom"), untold.out());
    assertTrue(untold.out().contains("hpet:0 timer 0"), untold.out());
    Run untoldBeyond = trace("hpet:0", "--vector", "32");
    assertEquals(2, untoldBeyond.status(), untoldBeyond::toString);
    assertTrue(untoldBeyond.err().contains("no timer 32"), untoldBeyond.err());
    Run unknown = trace("hpet:7");
    assertEquals(2, unknown.status());
    assertTrue(unknown.err().contains("no HPET 7; it has [0]"), unknown.err());
    Run tables = trace("hpet:0", "--tables", Shared.require(AMD).resolve("oracle").toString());
    assertEquals(1, tables.status());
    assertTrue(tables.out().contains("cannot see TN_CONF0"), tables.out());
  }
}
