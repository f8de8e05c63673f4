import { PageTitle } from '../../parts/page-title.tsx';
import { OpenProduct } from '../parts/open-product.tsx';
import { linkTo, type Missing } from '../route.ts';

const titles: Readonly<Record<Missing['what'], string>> = {
  product: 'No such product',
  page: 'No such page',
  release: 'No such release',
};
const reasons: Readonly<Record<Missing['what'], string>> = {
  product: 'What this link names is no product id: that is 0x and 64 hexadecimal digits.',
  page: 'Every page here is about a product, and its link names one: open the product first.',
  release: 'What this link names is no version of a release, such as 1.2.0; to compare, it names two.',
};

/** For a link that was cut or typed: what it lacks, and ways back. */
export function NotFoundPage({ missing: { what, product } }: { missing: Missing }) {
  return (
    <>
      <PageTitle>{titles[what]}</PageTitle>
      <p>{reasons[what]} If somebody sent it to you, it may have been cut on the way.</p>
      <p>
        {product && (
          <>
            <a href={linkTo.product(product)}>To the product</a>
            {' · '}
          </>
        )}
        <a href={linkTo.products()}>To all products</a>
      </p>
      {product === null && <OpenProduct />}
    </>
  );
}
