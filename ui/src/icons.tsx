/** Our few icons, drawn on 24 by 24 with a stroke of the text's colour. They are never the only sign. */

const PATHS = {
  ban: ["M5.6 5.6l12.8 12.8"],
  bookOff: ["M4 5.5C6.5 4 9.5 4 12 5.5v14C9.5 18 6.5 18 4 19.5z", "M15 10l5 5M20 10l-5 5"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  checkFilled: ["M7.8 12.3l3 3 5.6-6"],
  clock: ["M12 7v5l3 2"],
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  cross: ["M9 9l6 6M15 9l-6 6"],
  inbox: ["M4 13l2.5-8h11L20 13v6H4z", "M4 13h5l1 2.5h4L15 13h5"],
  left: ["M14.5 6l-6 6 6 6"],
  list: [
    "M10 6.5h10M10 12h10M10 17.5h10",
    "M3.5 6.5l1.3 1.3L7 5.5M3.5 12l1.3 1.3L7 11M3.5 17.5l1.3 1.3L7 16.5",
  ],
  listOff: ["M10 6.5h10M10 12h10M10 17.5h10", "M3.5 5l3 3M6.5 5l-3 3M3.5 16l3 3M6.5 16l-3 3"],
  minus: ["M8 12h8"],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"],
  plus: ["M12 5v14M5 12h14"],
  question: ["M9.5 9.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.7", "M12 16.8v.01"],
  searchOff: ["M15.2 15.2L20 20", "M8.5 8.5l4 4M12.5 8.5l-4 4"],
  stamp: ["M6 3.5h8.5L18 7v13.5H6z", "M9 13l2.2 2.2L15.2 11"],
  sun: ["M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4"],
  wrench: [
    "M14 6.5a4 4 0 0 1 5-2.3l-2.6 2.6.8 2 2 .8L21.5 7a4 4 0 0 1-5.4 4.7L8 19.8a2.1 2.1 0 0 1-3-3l8.2-8.1A4 4 0 0 1 14 6.5z",
  ],
} as const;

/** Radius and centre of the circle that some of them stand in. */
const CIRCLES: Partial<Record<IconName, [number, number, number]>> = {
  ban: [12, 12, 9],
  checkFilled: [12, 12, 9],
  clock: [12, 12, 9],
  cross: [12, 12, 9],
  minus: [12, 12, 9],
  question: [12, 12, 9],
  searchOff: [10.5, 10.5, 6.5],
  sun: [12, 12, 4],
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  const circle = CIRCLES[name];
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {circle && (
        <circle
          cx={circle[0]}
          cy={circle[1]}
          r={circle[2]}
          fill={name === "checkFilled" ? "currentColor" : "none"}
        />
      )}
      {PATHS[name].map((d) => (
        <path key={d} d={d} stroke={name === "checkFilled" ? "var(--mantine-color-body)" : undefined} />
      ))}
    </svg>
  );
}
