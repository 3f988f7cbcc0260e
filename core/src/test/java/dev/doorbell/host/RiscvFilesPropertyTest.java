package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// The contract of the window where each hart has a doorbell of its own: the random contract property knows one doorbell a controller.
@DisplayName(
    "design 4, on a RISC-V machine of eight harts: the window holds a page for each interrupt file in use")
class RiscvFilesPropertyTest {
  private static final List<Sbdf> FUNCTIONS =
      List.of(Sbdf.parse("00:05.0"), Sbdf.parse("00:06.0"), Sbdf.parse("00:07.0"));
  private static final int[] VECTORS = {5, 4, 3};
  private static final int HARTS = 8;
  private static final long BASE = 0x800_0000L;
  private static final long PAGE = 0x1000;

  @Test
  @DisplayName(
      "whatever functions enable, retarget and release: each vector arrives at its hart, each file in use has one page and no other has, and only a full window refuses, with nothing changed")
  void always() {
    MachineDescription bare =
        Firmware.read(Sysroot.open(Shared.require("captures/riscv64/qemu-virt-iommu-pci")));
    for (int i = 0; i < VECTORS.length; i++) {
      bare = new WhatIf(FUNCTIONS.get(i), VECTORS[i], 0, true).addTo(bare);
    }
    MachineDescription machine = bare;
    Property.check(
        "interrupt files in a window",
        25,
        dice -> {
          try (EmbeddedMachine made = EmbeddedMachine.of(machine)) {
            new History(dice, made).run();
          }
        });
  }

  private static final class History {
    private final SeededRandom dice;
    private final EmbeddedMachine machine;
    private final Host host;
    private final Domain domain;
    private final int pages;

    History(SeededRandom dice, EmbeddedMachine machine) {
      this.dice = dice;
      this.machine = machine;
      host =
          Host.start(machine, dice.oneIn(2) ? HostOptions.USUAL : HostOptions.USUAL.withStage(2));
      domain =
          Domain.create(
              "guest",
              DomainPolicy.TRUSTED_USER,
              host.iommu("riscv-iommu@0000:00:01.0").orElseThrow(),
              Granule.K4);
      pages = dice.between(1, HARTS);
      for (Sbdf f : FUNCTIONS) {
        domain.attach(host.group(f).orElseThrow());
      }
      domain.reserveMsiWindow(AddressRange.ofSize(BASE, pages * PAGE));
      FUNCTIONS.forEach(f -> host.function(f).turnOn());
    }

    void run() {
      for (int i = 0; i < 40; i++) {
        int which = dice.below(FUNCTIONS.size());
        MsiFunction f = function(which);
        if (f.vectors().isEmpty()) {
          enable(f, dice.between(1, VECTORS[which]));
        } else if (dice.oneIn(4)) {
          f.release();
        } else {
          retarget(f, dice.below(f.vectors().size()), dice.below(HARTS));
        }
        check();
      }
      for (int i = 0; i < FUNCTIONS.size(); i++) {
        if (!function(i).vectors().isEmpty()) {
          function(i).release();
        }
      }
      assertEquals(0, mapped());
    }

    private MsiFunction function(int which) {
      return host.function(FUNCTIONS.get(which)).vectors().orElseThrow();
    }

    private List<LiveVector> live() {
      List<LiveVector> out = new ArrayList<>();
      for (int i = 0; i < FUNCTIONS.size(); i++) {
        out.addAll(function(i).vectors());
      }
      return out;
    }

    private Set<Integer> harts() {
      Set<Integer> out = new TreeSet<>();
      live().forEach(v -> out.add(v.cpu()));
      return out;
    }

    private List<String> programmed() {
      return live().stream().map(v -> v.message() + " to " + v.cpu()).toList();
    }

    private void enable(MsiFunction f, int count) {
      Set<Integer> before = harts();
      List<String> was = programmed();
      try {
        assertEquals(count, f.enable(count, count));
      } catch (MsiWindowExhausted full) {
        assertTrue(before.size() + count > pages, full::getMessage);
        assertEquals(was, programmed());
        assertTrue(f.vectors().isEmpty());
      }
    }

    private void retarget(MsiFunction f, int vector, int hart) {
      Set<Integer> before = harts();
      List<String> was = programmed();
      boolean fits = before.contains(hart) || before.size() < pages;
      try {
        f.retarget(vector, hart);
        assertTrue(fits, () -> "%s hold %d pages, and hart %d fits".formatted(before, pages, hart));
        assertEquals(hart, f.vectors().get(vector).cpu());
      } catch (MsiWindowExhausted full) {
        assertFalse(fits, full::getMessage);
        assertEquals(PAGE, full.refusal().needed().orElseThrow().value());
        assertEquals(was, programmed());
      }
    }

    private int mapped() {
      int out = 0;
      for (int i = 0; i < pages; i++) {
        out += domain.translate(new Iova(BASE + i * PAGE)).isPresent() ? 1 : 0;
      }
      return out;
    }

    private void check() {
      assertEquals(harts().size(), mapped());
      for (int i = 0; i < FUNCTIONS.size(); i++) {
        for (LiveVector v : function(i).vectors()) {
          Pa page = domain.translate(new Iova(v.message().address())).orElseThrow();
          assertEquals(v.doorbell(), page, "each hart's own file");
          assertEquals(List.of(v.cpu()), fired(FUNCTIONS.get(i), v));
        }
      }
    }

    private List<Integer> fired(Sbdf function, LiveVector v) {
      List<Integer> out = new ArrayList<>();
      var dispatch = host.interrupts().at(host.msiController(v.controller()).orElseThrow());
      dispatch.add(v.number(), (_, cpu) -> out.add(cpu));
      machine.fire(function, v.index());
      host.poll();
      dispatch.remove(v.number());
      return out;
    }
  }
}
