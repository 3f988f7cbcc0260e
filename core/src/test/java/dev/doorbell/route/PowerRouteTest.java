package dev.doorbell.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Routes on POWER: messages of a host bridge's own, and of a guest's")
class PowerRouteTest {
  private record Programmed(long address, int data) implements MachineState {
    @Override
    public List<Block> blocks(String kind) {
      return List.of();
    }

    @Override
    public MemoryView memory() {
      return _ -> OptionalLong.empty();
    }

    @Override
    public VectorState vector(Sbdf function, int vector) {
      return new ProgrammedVector(address, data, false, "MSI-X", Source.rule("test"));
    }

    @Override
    public String itsFormat() {
      return "";
    }

    @Override
    public Basis basis() {
      return Basis.OBSERVED;
    }
  }

  private static Survey survey(String name) {
    return Survey.of(Firmware.read(Sysroot.open(Shared.require("lab-captures/" + name))));
  }

  @ParameterizedTest
  @CsvSource({"ppc64le-powernv9,true", "ppc64le-pseries,false"})
  @DisplayName(
      "what the kernel programmed arrives as the number that the lab notes state: the datum, by itself or as the guest's number")
  void asProgrammed(String name, boolean host) throws IOException {
    Survey survey = survey(name);
    String truth = Files.readString(Shared.require("lab-captures/" + name + "/oracle/truth.json"));
    int vectors = 0;
    for (Json.Node v : Json.parse(truth).get("vectors").list()) {
      long address = v.get("addr").number();
      int data = (int) v.get("data").number();
      int vector = (int) v.get("vector").number();
      Route r =
          new RouteWalker(survey, new Programmed(address, data))
              .walk(Sbdf.parse(v.get("bdf").text()), vector);
      // A hypervisor gives a power of two; what the kernel did not take of them it does not know.
      assertEquals(v.get("linux_irq").isPresent(), r.delivered(), r.stoppedAt().orElse(""));
      assertEquals(address, r.doorbell().orElseThrow());
      if (r.delivered()) {
        assertEquals(host ? vector : data, r.interrupt().orElseThrow().intid());
        vectors++;
      }
    }
    assertTrue(vectors >= 12, "vectors: " + vectors);
  }

  @Test
  @DisplayName("a number that the bridge has not, and an address without bit 60, do not arrive")
  void lost() {
    Survey survey = survey("ppc64le-powernv9");
    Sbdf f = Sbdf.parse("0001:01:00.0");
    Route beyond = new RouteWalker(survey, new Programmed(0x1000_0000_0000_ff00L, 31)).walk(f, 0);
    assertFalse(beyond.delivered());
    assertTrue(beyond.hops().getLast().why().contains("and 2040 are for messages"));
    Route dma = new RouteWalker(survey, new Programmed(0x0800_0000_0000_0000L, 0)).walk(f, 0);
    assertFalse(dma.delivered());
    assertTrue(dma.stoppedAt().orElseThrow().contains("TCEs"), dma.stoppedAt().toString());
  }

  @Test
  @DisplayName("a vector that the kernel has no line of: cannot see, and not delivered")
  void noRecord() {
    Survey survey = survey("ppc64le-powernv9");
    Route r =
        new RouteWalker(survey, new Programmed(0x1000_0000_0000_0000L, 9))
            .walk(Sbdf.parse("0001:01:00.0"), 9);
    assertFalse(r.delivered());
    assertEquals(Basis.UNSEEN, r.hops().getLast().basis());
  }
}
