@NullMarked
package dev.doorbell.doctor;

import org.jspecify.annotations.NullMarked;
