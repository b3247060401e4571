// Style sheets as Vite brings them: as a file of the page's own, or (?inline) as a text.
declare module "*.css";
declare module "*.css?inline" {
  const text: string;
  export default text;
}
